import { peerKey, type Peer, type PresenceEntry, type PresenceRelay } from '@weft/protocol';
import type { GatewayLinks } from './gateway-links.ts';
import type { HeldDocument } from './held-document.ts';

/** Room for a message's own fields, bytes. */
const overheadBytes = 1024;

/** Presence on its way to the other gateways: the newest entry a client id, once a window (`effects.wake`). */
export class PresenceRelays {
  readonly #self: Peer;
  readonly #links: GatewayLinks;
  readonly #payloadBytesMax: number;
  readonly #effects: PresenceEffects;
  /** What changed since the last flush, with the gateway it came from. */
  readonly #changes = new Map<HeldDocument, Map<number, { entry: PresenceEntry; from: string }>>();

  constructor(self: Peer, links: GatewayLinks, payloadBytesMax: number, effects: PresenceEffects) {
    this.#self = self;
    this.#links = links;
    this.#payloadBytesMax = payloadBytesMax;
    this.#effects = effects;
  }

  apply(held: HeldDocument, gateway: Peer, entries: readonly PresenceEntry[]): void {
    const from = peerKey(gateway);
    this.#note(held, from, held.presence.apply(from, entries));
  }

  /** The gateway has the document no longer open. */
  gone(held: HeldDocument, key: string): void {
    this.#note(held, key, held.presence.dropGateway(key));
  }

  /** The document is no longer ours. */
  forget(held: HeldDocument): void {
    this.#changes.delete(held);
  }

  flush(): void {
    for (const [held, changes] of this.#changes)
      for (const key of held.gateways) {
        const entries = [...changes.values()].filter((change) => change.from !== key).map((change) => change.entry);
        const gateway = this.#links.peer(key);
        if (gateway) this.send(gateway, held, entries);
      }
    this.#changes.clear();
  }

  send(gateway: Peer, held: HeldDocument, entries: readonly PresenceEntry[]): void {
    for (const part of presenceParts(entries, this.#payloadBytesMax - overheadBytes))
      this.#effects.send(gateway, { kind: 'presence-relay', worker: this.#self, document: held.name, entries: part });
  }

  #note(held: HeldDocument, from: string, entries: readonly PresenceEntry[]): void {
    if (entries.length === 0 || held.gateways.size === 0) return;
    if (this.#changes.size === 0) this.#effects.wake();
    let changes = this.#changes.get(held);
    if (!changes) this.#changes.set(held, (changes = new Map()));
    for (const entry of entries) changes.set(entry.clientId, { entry, from });
  }
}

export interface PresenceEffects {
  send(gateway: Peer, message: PresenceRelay): void;
  /** Call `flush` in some milliseconds. */
  wake(): void;
}

/** What entries take in a message at most: JSON counted at three bytes a UTF-16 unit. */
export function presenceBytes(entries: readonly PresenceEntry[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.json.length * 3 + 24, 0);
}

/** Cuts a list of entries so that each part takes at most `bytesMax`, but for an entry that alone takes more. */
export function presenceParts(entries: readonly PresenceEntry[], bytesMax: number): PresenceEntry[][] {
  const parts: PresenceEntry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const bytes = presenceBytes([entry]);
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = bytesMax;
    }
    parts.at(-1)!.push(entry);
    room -= bytes;
  }
  return parts;
}
