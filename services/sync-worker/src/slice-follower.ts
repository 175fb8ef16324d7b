import { type Clock, retry } from '@weft/lifecycle';
import type { DocumentReader } from '@weft/store';
import type { Logger } from '@weft/telemetry';
import {
  forEachEntry,
  type LogRecord,
  MalformedRecord,
  PieceAssembler,
  RecordReader,
  type SliceState,
  type Wal,
  WalReplaced,
} from '@weft/wal';
import { Tail } from './tail.ts';
import type { WorkerCore } from './worker-core.ts';

/**
 * One slice of the log, read for the core: the main reader from the end on, and a bounded backfill for partitions that are gained. Reconnects, waits and starts over by
 * itself; ends with the signal.
 */
export class SliceFollower {
  readonly #slice: number;
  readonly #core: WorkerCore;
  readonly #wal: Wal;
  readonly #store: DocumentReader;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  /** Called when the log was replaced: the partitions owned are to be gained anew. */
  readonly #onReplaced: () => void;

  constructor(parts: SliceFollowerParts) {
    this.#slice = parts.slice;
    this.#core = parts.core;
    this.#wal = parts.wal;
    this.#store = parts.store;
    this.#logger = parts.logger.child({ slice: parts.slice });
    this.#signal = parts.signal;
    this.#clock = parts.clock;
    this.#onReplaced = parts.onReplaced;
  }

  /** Resolves once the slice is followed; goes on in the background. */
  async start(): Promise<void> {
    const state = await this.#state();
    this.#core.follow(this.#slice, state.identity, state.last);
    void this.#follow(state.identity, state.last);
  }

  /** Partitions this worker owns from now on: reads what the log has for them, up to where the main reader stands. */
  async gain(partitions: readonly number[]): Promise<void> {
    const slice = this.#core.slice(this.#slice);
    if (!slice) return;
    // Owned at once, so that the main reader keeps their tails from its position on; answered once filled and at the log's end.
    let to = 0;
    for (const partition of partitions) to = slice.gain(partition);
    try {
      await this.#untilDone('fill partitions from the log', () => this.#backfill(slice.identity, partitions, to));
    } catch (error) {
      // Stopping, or the log was replaced: the main reader notices that too, and gains everything anew.
      if (!this.#signal.aborted && !(error instanceof WalReplaced)) throw error;
    }
  }

  async #backfill(identity: string, partitions: readonly number[], to: number): Promise<void> {
    const [stored, state] = await Promise.all([this.#storedThrough(identity), this.#wal.state(this.#slice)]);
    const slice = this.#core.slice(this.#slice);
    // The main reader notices that the log was replaced, and everything starts over.
    if (state.identity !== identity || slice?.identity !== identity) return;
    // What was trimmed is in Postgres, and the main reader keeps what comes after `to`: where the log begins beyond it, nothing is left to read.
    const base = Math.min(to, Math.max(state.first - 1, Math.min(slice.lookback(this.#clock.now()) ?? stored, stored)));
    // WalTrimmed: between the look and the read; the next attempt sees a higher floor.
    await this.#read(identity, partitions, base, to, state.last);
  }

  /** A position up to which Postgres has everything: as persistence announced it, which is a second old at most; asked for only before the first announcement. */
  async #storedThrough(identity: string): Promise<number> {
    const slice = this.#core.slice(this.#slice);
    if (slice?.identity === identity && slice.floor > 0) return slice.floor;
    const floor = await this.#store.floor(this.#slice);
    return floor?.identity === identity ? floor.position : 0;
  }

  /** Reads (base, to] for the partitions, from memory where the main reader took it lately; and further while an update in pieces that began in it is unfinished. */
  async #read(identity: string, partitions: readonly number[], base: number, to: number, target: number): Promise<void> {
    const wanted = new Set(partitions);
    let tails = new Map(partitions.map((partition) => [partition, new Map<string, Tail>()]));
    let pieces = new PieceAssembler(() => {});
    const startedMs = this.#clock.now();
    let position = base;
    let filled = false;
    const take = (record: LogRecord): void => {
      position = record.position;
      const isLate = position > to;
      const entries = readable(record.bytes);
      if (!entries) return; // reported by the main reader or by persistence
      forEachEntry(
        entries,
        (partition) => wanted.has(partition),
        ({ partition, document, payload }) => {
          if (payload.kind === 'update') {
            if (!isLate) tailOf(tails.get(partition)!, document).push(position, payload.update.slice());
            return;
          }
          // A run that begins after `to` is the main reader's.
          if (isLate && payload.index === 0) return;
          const update = pieces.add({ origin: entries.origin, document, position, atMs: record.atMs }, payload);
          if (!update) return;
          if (filled) this.#core.takeLate(this.#slice, { partition, document, origin: entries.origin, update }, this.#clock.now());
          else tailOf(tails.get(partition)!, document).push(Math.min(position, to), update);
        },
      );
      pieces.expire(record.atMs);
    };
    const fill = (): void => {
      filled = true;
      this.#core.filled(this.#slice, { base, to, target }, tails, this.#clock.now());
      this.#logger.debug(
        { partitions: partitions.length, from: base, to, ms: Math.round(this.#clock.now() - startedMs) },
        'partitions filled from the log',
      );
    };
    const recent = this.#core.slice(this.#slice)?.recent(base, to);
    for (const record of recent ?? []) take(record);
    if (recent && pieces.oldestIncompletePosition === undefined) return fill();
    // No longer held, or an update in pieces goes on after `to`: from the log, from the beginning.
    tails = new Map(partitions.map((partition) => [partition, new Map<string, Tail>()]));
    pieces = new PieceAssembler(() => {});
    position = base;
    if (position === to) return fill();
    const reader = this.#wal.read(this.#slice, base + 1, identity);
    const onAbort = (): void => void reader.close();
    this.#signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (position < to || pieces.oldestIncompletePosition !== undefined) {
        for (const record of await reader.next()) take(record);
        if (position >= to && !filled) fill();
      }
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      await reader.close();
    }
  }

  /** The main reader. A log that was replaced is followed from its beginning: everything in it is new. */
  async #follow(identity: string, from: number): Promise<void> {
    let state = { identity, last: from };
    while (!this.#signal.aborted) {
      try {
        await this.#readOn(state.identity, state.last);
      } catch (error) {
        if (this.#signal.aborted) return;
        const replaced = error instanceof WalReplaced;
        if (replaced) this.#logger.error({ err: error }, 'THE LOG WAS REPLACED: positions start anew, work goes on');
        else this.#logger.warn({ err: error }, 'reading the log failed: starting over from its end');
        state = await this.#state();
        if (this.#signal.aborted) return;
        this.#core.follow(this.#slice, state.identity, state.last);
        this.#onReplaced();
      }
    }
  }

  async #readOn(identity: string, after: number): Promise<void> {
    const reader = this.#wal.read(this.#slice, after + 1, identity);
    const onAbort = (): void => void reader.close();
    this.#signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) this.#core.takeRecords(this.#slice, await reader.next(), this.#clock.now());
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      await reader.close();
    }
  }

  #state(): Promise<SliceState> {
    return this.#untilDone('look at the log', () => this.#wal.state(this.#slice));
  }

  #untilDone<T>(what: string, operation: () => Promise<T>): Promise<T> {
    const isRetryable = (error: unknown): boolean => !(error instanceof WalReplaced);
    return retry(operation, {
      signal: this.#signal,
      logger: this.#logger,
      clock: this.#clock,
      what,
      baseMs: 100,
      maxMs: 2_000,
      isRetryable,
    });
  }
}

export interface SliceFollowerParts {
  readonly slice: number;
  readonly core: WorkerCore;
  readonly wal: Wal;
  readonly store: DocumentReader;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onReplaced: () => void;
}

function tailOf(tails: Map<string, Tail>, document: string): Tail {
  let tail = tails.get(document);
  if (!tail) tails.set(document, (tail = new Tail()));
  return tail;
}

function readable(bytes: Uint8Array): RecordReader | undefined {
  try {
    return new RecordReader(bytes);
  } catch (error) {
    if (error instanceof MalformedRecord) return undefined;
    throw error;
  }
}
