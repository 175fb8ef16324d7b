import { forEachEntry, type LogRecord, MalformedRecord, PieceAssembler, RecordReader } from '@weft/wal';
import { isEmptyUpdate, MalformedUpdate, scanUpdate } from '@weft/updates';
import { HeldDocument } from './held-document.ts';
import { RecentRecords } from './recent-records.ts';
import type { Tail } from './tail.ts';

/** Of records kept for partitions that are gained: some 10 s of a busy slice. */
const recentBytesMax = 64 * 1024 * 1024;

/**
 * One slice of the log as this worker follows it: for its own partitions, every document's tail from `base` on, open or not.
 *
 * The main reader runs through the whole slice and skips by the record's index what the worker does not own. A partition that is gained at
 * main position m is backfilled by a second, bounded read of (base, m]; until that is done, and until the main reader has reached the end
 * the log had at the takeover, the partition answers nobody.
 */
export class Slice {
  readonly number: number;
  readonly partitions = new Map<number, Partition>();
  readonly #identity: string;
  #position: number;
  readonly #pieces: PieceAssembler;
  /** (time, position) about once a second, newest last: tells where the log stood a while ago. */
  readonly #marks: { atMs: number; position: number }[] = [];
  /** Positions up to here are in the store: a tail nobody uses may forget them, but not the last `lookbackMs`. */
  #floor = 0;
  readonly #limits: SliceLimits;
  readonly #recent: RecentRecords;

  constructor(number: number, identity: string, position: number, limits: SliceLimits) {
    this.number = number;
    this.#identity = identity;
    this.#position = position;
    this.#limits = limits;
    // A little longer than what is looked back for: the mark that says how far is up to a second old.
    this.#recent = new RecentRecords(position, { bytesMax: recentBytesMax, keepMs: limits.lookbackMs + 2_000 });
    // A run that began before a partition was gained is the backfill's to finish; what else is dropped persistence reports.
    this.#pieces = new PieceAssembler(() => {}, { bytesMax: limits.pieceBytesMax });
  }

  get identity(): string {
    return this.#identity;
  }

  /** Everything up to here is in the tails and documents of the ready partitions. */
  get position(): number {
    return this.#position;
  }

  document(partition: number, name: string): HeldDocument | undefined {
    return this.partitions.get(partition)?.documents.get(name);
  }

  /** Starts to own a partition: the main reader keeps its tails from here on. Gives the position up to which it is to be backfilled. */
  gain(partition: number): number {
    this.partitions.set(partition, { number: partition, base: this.#position, target: undefined, documents: new Map() });
    return this.#position;
  }

  /**
   * The backfill is done. Until the main reader has reached `target`, the end the log had when ownership was taken, an answer could be older than what somebody
   * was told by the owner before.
   */
  filled(partition: number, range: BackfillRange, tails: ReadonlyMap<string, Tail>): void {
    const own = this.partitions.get(partition);
    // Lost and gained again meanwhile: this backfill ends before the main reader began for it.
    if (!own || own.target !== undefined || own.base !== range.to) return;
    for (const [name, tail] of tails) this.hold(partition, name).tail.prepend(tail);
    own.base = range.base;
    own.target = range.target;
  }

  /** The position a little while ago (`lookbackMs`); undefined when this worker did not follow the log then. */
  lookback(nowMs: number): number | undefined {
    const atMs = nowMs - this.#limits.lookbackMs;
    let position: number | undefined;
    for (const mark of this.#marks) if (mark.atMs <= atMs) position = mark.position;
    return position;
  }

  isReady(partition: Partition): boolean {
    return partition.target !== undefined && this.#position >= partition.target;
  }

  /** Takes records of the main reader; `hear` is told of each update of an owned partition, and of what was passed over. */
  take(records: readonly LogRecord[], nowMs: number, hear: SliceListener): void {
    for (const record of records) {
      this.#takeRecord(record, hear);
      this.#position = record.position;
      this.#recent.push(record, nowMs);
    }
    this.mark(nowMs);
  }

  /**
   * An update in pieces that began before a partition was gained and ended after: the backfill put it together, the main reader could not. It counts as
   * arriving now.
   */
  takeLate(partition: number, document: string, origin: string, update: Uint8Array, hear: SliceListener): void {
    if (this.partitions.has(partition)) this.#takeUpdate(partition, document, origin, update, this.#position, hear);
  }

  /** What the main reader took at positions (after, to]; undefined when that is no longer kept. */
  recent(after: number, to: number): LogRecord[] | undefined {
    return this.#recent.between(after, to);
  }

  /** As persistence announced it last; 0 before. */
  get floor(): number {
    return this.#floor;
  }

  /** Notes where the log stands, about once a second. */
  mark(nowMs: number): void {
    if (nowMs - (this.#marks.at(-1)?.atMs ?? 0) < 1000) return;
    this.#recent.forget(nowMs);
    this.#marks.push({ atMs: nowMs, position: this.#position });
    while (this.#marks.length > 1 && this.#marks[1]!.atMs < nowMs - this.#limits.lookbackMs) this.#marks.shift();
  }

  #takeRecord(record: LogRecord, hear: SliceListener): void {
    try {
      const reader = new RecordReader(record.bytes);
      forEachEntry(
        reader,
        (partition) => this.partitions.has(partition),
        ({ partition, document, payload }) => {
          const source = { origin: reader.origin, document, position: record.position, atMs: record.atMs };
          // A copy: a view would keep the whole record in memory for as long as the document's tail keeps this update.
          const update = payload.kind === 'update' ? payload.update.slice() : this.#pieces.add(source, payload);
          if (update) this.#takeUpdate(partition, document, reader.origin, update, record.position, hear);
        },
      );
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error;
      hear.malformed(undefined, record.position, error);
    }
  }

  #takeUpdate(partition: number, document: string, origin: string, update: Uint8Array, position: number, hear: SliceListener): void {
    // It only carries an acknowledgement through the log (WEFT_ACK_AFTER=database).
    if (isEmptyUpdate(update)) return;
    const held = this.hold(partition, document);
    try {
      held.push(position, update, scanUpdate(update));
    } catch (error) {
      // One bad entry harms nobody else (invariant 8); persistence keeps it in quarantine.
      if (!(error instanceof MalformedUpdate)) throw error;
      hear.malformed(document, position, error);
      return;
    }
    hear.update(held, origin, update);
  }

  /** Forgets what the store has and nobody is likely to ask for. */
  trim(floor: number, nowMs: number): void {
    this.#floor = Math.max(this.#floor, floor);
    const through = Math.min(this.#floor, this.lookback(nowMs) ?? 0);
    for (const partition of this.partitions.values()) {
      if (partition.target === undefined) continue;
      partition.base = Math.max(partition.base, through);
      for (const held of partition.documents.values()) {
        held.trim(through);
        if (held.tail.isEmpty && !held.isUsed && isForgettable(held, nowMs)) partition.documents.delete(held.name);
      }
    }
  }

  hold(partition: number, name: string): HeldDocument {
    const { documents } = this.partitions.get(partition)!;
    let held = documents.get(name);
    if (!held) documents.set(name, (held = new HeldDocument(name, partition)));
    return held;
  }
}

/** Nothing but what the store has. One that could not be read is remembered until it may be tried again: so long nobody asks the store. */
function isForgettable({ state }: HeldDocument, nowMs: number): boolean {
  return state.kind === 'tail' || (state.kind === 'failed' && nowMs >= state.retryAtMs);
}

export interface Partition {
  readonly number: number;
  /** Everything after this position is held. */
  base: number;
  /** To be reached before anything is answered; undefined until the backfill is done. */
  target: number | undefined;
  readonly documents: Map<string, HeldDocument>;
}

/** Positions (base, to] were read again; the log's end was at `target` when ownership was taken. */
export interface BackfillRange {
  readonly base: number;
  readonly to: number;
  readonly target: number;
}

export interface SliceListener {
  update(document: HeldDocument, origin: string, update: Uint8Array): void;
  malformed(document: string | undefined, position: number, error: Error): void;
}

export interface SliceLimits {
  /** How far back tails reach whatever the floor: gateways whose owner died ask for everything since their last relay. */
  readonly lookbackMs: number;
  readonly pieceBytesMax: number;
}
