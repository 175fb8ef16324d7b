import type { PresenceEntry } from '@weft/protocol';

/** Entries of one document; beyond it new client ids are refused (a bound, far above any real document). */
const presenceEntriesMax = 10_000;

/**
 * Who is here, for one document, by Yjs client id: last writer wins, and each entry belongs to the gateway that brought it. Only its own gateway may
 * take an entry away: a late removal of a closed socket must not remove the same client that came back through another gateway.
 */
export class PresenceTable {
  readonly #entries = new Map<number, { entry: PresenceEntry; gateway: string }>();

  /** Takes entries from a gateway; gives those that changed something, for the others. */
  apply(gateway: string, entries: readonly PresenceEntry[]): PresenceEntry[] {
    const changed: PresenceEntry[] = [];
    for (const entry of entries) {
      const known = this.#entries.get(entry.clientId);
      if (entry.json === 'null') {
        if (known?.gateway !== gateway || entry.clock < known.entry.clock) continue;
        this.#entries.delete(entry.clientId);
        changed.push(entry);
      } else if (!known ? this.#entries.size < presenceEntriesMax : entry.clock > known.entry.clock) {
        this.#entries.set(entry.clientId, { entry, gateway });
        changed.push(entry);
      } else if (known && known.gateway !== gateway && entry.clock === known.entry.clock) {
        // The same state announced again through another gateway: the client moved house.
        this.#entries.set(entry.clientId, { entry, gateway });
      }
    }
    return changed;
  }

  /** The gateway is gone: gives the removals the others must hear of. */
  dropGateway(gateway: string): PresenceEntry[] {
    const removals: PresenceEntry[] = [];
    for (const [clientId, known] of this.#entries) {
      if (known.gateway !== gateway) continue;
      this.#entries.delete(clientId);
      removals.push({ clientId, clock: known.entry.clock, json: 'null' });
    }
    return removals;
  }

  /** Everybody but those of `gateway`, which knows its own. */
  others(gateway: string): PresenceEntry[] {
    const entries: PresenceEntry[] = [];
    for (const known of this.#entries.values()) if (known.gateway !== gateway) entries.push(known.entry);
    return entries;
  }
}
