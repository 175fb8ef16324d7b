import { type Peer, peerKey } from '@weft/protocol';

/** Gateways are heard every 0.5 s. */
const silentMs = 3_000;
const peersMax = 1_000;

/** Which gateways are there, by their heartbeats. Being wrong costs a client a new session. Pure: the time is passed in. */
export class GatewayPeers {
  readonly #sinceMs: number;
  readonly #heardAtMs = new Map<string, number>();
  readonly #incarnations = new Map<string, string>();

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  hear(peer: Peer, nowMs: number): void {
    const key = peerKey(peer);
    if (!this.#heardAtMs.has(key) && this.#heardAtMs.size >= peersMax) this.#forget(nowMs);
    if (!this.#heardAtMs.has(key) && this.#heardAtMs.size >= peersMax) return;
    this.#heardAtMs.set(key, nowMs);
    this.#incarnations.set(peer.id, peer.incarnation);
  }

  /** It was here, and is silent for too long or began another life. */
  hasGone(peer: Peer, nowMs: number): boolean {
    const current = this.#incarnations.get(peer.id);
    if (current !== undefined && current !== peer.incarnation) return true;
    const heardAtMs = this.#heardAtMs.get(peerKey(peer));
    return heardAtMs !== undefined && nowMs - heardAtMs > silentMs;
  }

  /** For one that does not answer: not heard for so long that it would have been heard. Who has only just begun to listen cannot tell. */
  isNotHere(peer: Peer, nowMs: number): boolean {
    return this.hasGone(peer, nowMs) || nowMs - (this.#heardAtMs.get(peerKey(peer)) ?? this.#sinceMs) > silentMs;
  }

  #forget(nowMs: number): void {
    for (const [key, atMs] of this.#heardAtMs) if (nowMs - atMs > silentMs) this.#heardAtMs.delete(key);
    for (const [id, incarnation] of this.#incarnations)
      if (!this.#heardAtMs.has(peerKey({ id, incarnation }))) this.#incarnations.delete(id);
  }
}
