import { type Peer, peerKey } from '@weft/protocol';

/** Gateways are heard every 0.5 s, this one too. */
const silentMs = 3_000;
/** Nobody heard for so long: it is we who do not hear (the bus is away, or this process stood still), and that says nothing about others. */
const deafMs = 1_500;
const peersMax = 1_000;

/** Which gateways are there, by their heartbeats. Being wrong costs a client a new session. Pure: the time is passed in. */
export class GatewayPeers {
  readonly #heardAtMs = new Map<string, number>();
  readonly #incarnations = new Map<string, string>();
  /** Since when we hear without a pause. */
  #hearingSinceMs = Number.POSITIVE_INFINITY;
  #lastHeardMs = Number.NEGATIVE_INFINITY;

  hear(peer: Peer, nowMs: number): void {
    if (nowMs - this.#lastHeardMs > deafMs) this.#hearingSinceMs = nowMs;
    this.#lastHeardMs = nowMs;
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
    return this.#heardAtMs.has(peerKey(peer)) && this.isNotHere(peer, nowMs);
  }

  /** For one that does not answer: not heard for so long that it would have been heard. */
  isNotHere(peer: Peer, nowMs: number): boolean {
    const current = this.#incarnations.get(peer.id);
    if (current !== undefined && current !== peer.incarnation) return true;
    if (nowMs - this.#lastHeardMs > deafMs) return false;
    const heardAtMs = this.#heardAtMs.get(peerKey(peer)) ?? Number.NEGATIVE_INFINITY;
    return nowMs - Math.max(heardAtMs, this.#hearingSinceMs) > silentMs;
  }

  #forget(nowMs: number): void {
    for (const [key, atMs] of this.#heardAtMs) if (nowMs - atMs > silentMs) this.#heardAtMs.delete(key);
    for (const [id, incarnation] of this.#incarnations)
      if (!this.#heardAtMs.has(peerKey({ id, incarnation }))) this.#incarnations.delete(id);
  }
}
