import { mergeUpdatesInTree } from '@weft/updates';

/** What an acknowledgement that waits takes beside the update it is for, bytes: its place, and what it keeps of a connection that is gone. */
export const ackBytes = 64;

/**
 * One slice's way into the log, from this gateway: what waits, and what is in flight. One append in flight, what arrives meanwhile is the next record (group commit); the answer
 * acknowledges. Pure: the shell takes a `batch`, appends it, says `appended` or tries the same bytes again.
 *
 * Everything unacknowledged stays here, in memory and bounded; the clients keep it too until they hear of it.
 */
export class AppendQueue<Ack> {
  #waiting = new Map<string, Waiting<Ack>>();
  #waitingBytes = 0;
  #inFlight: Batch<Ack> | undefined;
  #inFlightBytes = 0;

  get unacknowledgedBytes(): number {
    return this.#waitingBytes + this.#inFlightBytes;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** What waits, bytes. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get isAppending(): boolean {
    return this.#inFlight !== undefined;
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#inFlight === undefined;
  }

  /** `ack` is given back `acks` times when the update is in the log. */
  add(document: string, partition: number, update: Uint8Array, ack: Ack, acks: number): void {
    const entry = this.#waiting.get(document);
    // Literals of what is in them: a push makes room for sixteen more.
    if (!entry) this.#waiting.set(document, { partition, updates: [update], acks: acks === 1 ? [ack] : Array<Ack>(acks).fill(ack) });
    else {
      entry.updates.push(update);
      for (let i = 0; i < acks; i++) entry.acks.push(ack);
    }
    this.#waitingBytes += update.byteLength + ackBytes * acks;
  }

  /** The next record's content, if nothing is in flight and something waits. Updates of one document are merged. */
  next(): Batch<Ack> | undefined {
    if (this.#inFlight || this.#waiting.size === 0) return undefined;
    const entries: BatchEntry[] = [];
    const acks: Ack[] = [];
    for (const [document, waiting] of this.#waiting) {
      entries.push({ document, partition: waiting.partition, update: mergeUpdatesInTree(waiting.updates) });
      for (const ack of waiting.acks) acks.push(ack);
    }
    this.#inFlight = { entries, acks };
    this.#inFlightBytes = this.#waitingBytes;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    return this.#inFlight;
  }

  /** The batch in flight is in the log. Gives its acknowledgements. */
  appended(): readonly Ack[] {
    const acks = this.#inFlight?.acks ?? [];
    this.#inFlight = undefined;
    this.#inFlightBytes = 0;
    return acks;
  }

  /** What of a document the log has not confirmed yet: who joins now must get it from here. */
  unacknowledged(document: string): Uint8Array[] {
    const updates: Uint8Array[] = [];
    for (const entry of this.#inFlight?.entries ?? []) if (entry.document === document) updates.push(entry.update);
    for (const update of this.#waiting.get(document)?.updates ?? []) updates.push(update);
    return updates;
  }
}

export interface BatchEntry {
  readonly document: string;
  readonly partition: number;
  readonly update: Uint8Array;
}

export interface Batch<Ack> {
  readonly entries: readonly BatchEntry[];
  readonly acks: readonly Ack[];
}

interface Waiting<Ack> {
  readonly partition: number;
  readonly updates: Uint8Array[];
  readonly acks: Ack[];
}
