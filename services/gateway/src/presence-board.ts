import type { PresenceEntry } from '@weft/protocol';

/** Entries of one document; beyond it new client ids are refused. */
const presenceEntriesMax = 10_000;

/**
 * Who is here, for one document on this gateway, by Yjs client id. An entry belongs to the connection that brought it, or to another gateway.
 *
 * Only the owner may change or remove it: providers re-send other people's states and queue their removal (protocol.md; y-websocket tells every change it hears of), and anybody may
 * forge one. A client that reconnects while its old connection has not been noticed dead claims its own id in vain for a moment; the claim is kept and takes
 * over when the owner goes. Its own id is the first a connection speaks of: every provider announces itself first. What it says of others is no claim, and does
 * not bring back who has just gone: else whoever leaves would live on as a ghost in the name of who re-sent it.
 */
export class PresenceBoard<Owner extends object> {
  readonly #entries = new Map<number, Held<Owner>>();
  readonly #usage = new WeakMap<Owner, { clientIds: number; length: number }>();
  readonly #ownIds = new WeakMap<Owner, number>();
  /** Who has gone, with the clock of the last state, for at least the silence that expires an entry: two generations. */
  #gone = new Map<number, number>();
  #goneBefore = new Map<number, number>();
  #goneSinceMs = 0;

  /** Gives what changed, for everybody else to hear; refused entries are left out. */
  fromOwner(owner: Owner, entries: readonly PresenceEntry[]): PresenceEntry[] {
    const first = entries[0];
    if (first && !this.#ownIds.has(owner)) this.#ownIds.set(owner, first.clientId);
    return entries.filter((entry) => this.#applyOwn(owner, entry));
  }

  fromElsewhere(entries: readonly PresenceEntry[], nowMs: number): { changed: PresenceEntry[]; takenOver: PresenceEntry[] } {
    const changed: PresenceEntry[] = [];
    const takenOver: PresenceEntry[] = [];
    for (const entry of entries) {
      const held = this.#entries.get(entry.clientId);
      if (held && held.owner !== 'elsewhere') continue;
      if (entry.json !== 'null') {
        if (held && entry.clock < held.entry.clock) continue;
        if (!held && this.#entries.size >= presenceEntriesMax) continue;
        if (!held || entry.clock > held.entry.clock) changed.push(entry);
        this.#entries.set(entry.clientId, { entry, owner: 'elsewhere', seenAtMs: nowMs, claim: held?.claim });
      } else if (held && entry.clock >= held.entry.clock) {
        const heir = this.#bequeath(entry.clientId, held);
        if (heir) takenOver.push(heir);
        else changed.push(entry);
      }
    }
    return { changed, takenOver };
  }

  /** The connection is gone: gives removals, or the state of who claimed the id meanwhile. */
  ownerGone(owner: Owner): PresenceEntry[] {
    const changed: PresenceEntry[] = [];
    for (const [clientId, held] of this.#entries) {
      if (held.claim?.owner === owner) {
        this.#charge(owner, held.claim.entry, -1);
        held.claim = undefined;
      }
      if (held.owner !== owner) continue;
      changed.push(this.#bequeath(clientId, held) ?? { clientId, clock: held.entry.clock, json: 'null' });
    }
    return changed;
  }

  /** Entries of other gateways that nobody renewed: clients renew every 15 s (y-protocols), so a lost removal heals here. */
  expire(nowMs: number, silentMs: number): readonly PresenceEntry[] {
    if (nowMs - this.#goneSinceMs >= silentMs) this.#forgetGone(nowMs);
    if (this.#entries.size === 0) return nobody;
    const removals: PresenceEntry[] = [];
    for (const [clientId, held] of this.#entries) {
      if (held.owner !== 'elsewhere' || nowMs - held.seenAtMs < silentMs) continue;
      removals.push(this.#bequeath(clientId, held) ?? { clientId, clock: held.entry.clock, json: 'null' });
    }
    return removals;
  }

  ofOwners(): PresenceEntry[] {
    return [...this.#entries.values()].filter((held) => held.owner !== 'elsewhere').map((held) => held.entry);
  }

  all(): PresenceEntry[] {
    return Array.from(this.#entries.values(), (held) => held.entry);
  }

  /** What a connection has on the board, claims counted. */
  usageOf(owner: Owner): PresenceUsage {
    return this.#usage.get(owner) ?? noUsage;
  }

  #applyOwn(owner: Owner, entry: PresenceEntry): boolean {
    const held = this.#entries.get(entry.clientId);
    const isOwnId = this.#ownIds.get(owner) === entry.clientId;
    if (!held) {
      if (entry.json === 'null' || this.#entries.size >= presenceEntriesMax) return false;
      if (!isOwnId && entry.clock <= this.#goneAt(entry.clientId)) return false;
      this.#entries.set(entry.clientId, { entry, owner, seenAtMs: 0, claim: undefined });
      this.#charge(owner, entry, 1);
      return true;
    }
    if (held.owner !== owner) {
      if (isOwnId) this.#claim(held, owner, entry);
      return false;
    }
    if (entry.json === 'null') {
      if (entry.clock < held.entry.clock) return false;
      if (held.claim) this.#charge(held.claim.owner, held.claim.entry, -1);
      this.#charge(owner, held.entry, -1);
      this.#remove(entry.clientId, entry.clock);
      return true;
    }
    if (entry.clock <= held.entry.clock) return false;
    this.#charge(owner, held.entry, -1);
    this.#charge(owner, entry, 1);
    held.entry = entry;
    return true;
  }

  #claim(held: Held<Owner>, owner: Owner, entry: PresenceEntry): void {
    if (held.claim) this.#charge(held.claim.owner, held.claim.entry, -1);
    held.claim = entry.json === 'null' ? undefined : { owner, entry };
    if (held.claim) this.#charge(owner, entry, 1);
  }

  #charge(owner: Owner, entry: PresenceEntry, sign: 1 | -1): void {
    const usage = this.#usage.get(owner);
    if (usage) {
      usage.clientIds += sign;
      usage.length += sign * entry.json.length;
    } else this.#usage.set(owner, { clientIds: sign, length: sign * entry.json.length });
  }

  /** Takes the entry from its owner; gives the claimant's entry if there is one that is not older. */
  #bequeath(clientId: number, held: Held<Owner>): PresenceEntry | undefined {
    const { claim } = held;
    if (held.owner !== 'elsewhere') this.#charge(held.owner, held.entry, -1);
    if (claim && claim.entry.clock < held.entry.clock) this.#charge(claim.owner, claim.entry, -1);
    if (!claim || claim.entry.clock < held.entry.clock) {
      this.#remove(clientId, held.entry.clock);
      return undefined;
    }
    this.#entries.set(clientId, { entry: claim.entry, owner: claim.owner, seenAtMs: 0, claim: undefined });
    return claim.entry;
  }

  #remove(clientId: number, clock: number): void {
    this.#entries.delete(clientId);
    if (this.#gone.size >= presenceEntriesMax) this.#forgetGone(this.#goneSinceMs);
    this.#gone.set(clientId, clock);
  }

  #goneAt(clientId: number): number {
    return Math.max(this.#gone.get(clientId) ?? -1, this.#goneBefore.get(clientId) ?? -1);
  }

  #forgetGone(nowMs: number): void {
    this.#goneBefore = this.#gone;
    this.#gone = new Map();
    this.#goneSinceMs = nowMs;
  }
}

export interface PresenceUsage {
  readonly clientIds: number;
  /** Of the JSON, in UTF-16 units. */
  readonly length: number;
}

const nobody: readonly PresenceEntry[] = [];
const noUsage: PresenceUsage = { clientIds: 0, length: 0 };

interface Held<Owner> {
  entry: PresenceEntry;
  readonly owner: Owner | 'elsewhere';
  seenAtMs: number;
  claim: { readonly owner: Owner; readonly entry: PresenceEntry } | undefined;
}

/** From what a worker was told to what is so now: new states, and removals of what is no longer there. */
export function presenceChangesSince(told: readonly PresenceEntry[], now: readonly PresenceEntry[]): PresenceEntry[] {
  const before = new Map(told.map((entry) => [entry.clientId, entry]));
  const after = new Set(now.map((entry) => entry.clientId));
  const gone = told.filter((entry) => !after.has(entry.clientId));
  return [
    ...now.filter((entry) => before.get(entry.clientId)?.clock !== entry.clock),
    ...gone.map(({ clientId, clock }) => ({ clientId, clock, json: 'null' })),
  ];
}
