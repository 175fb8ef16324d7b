import { type Clock, every } from '@weft/lifecycle';
import { type DocumentStore, type StoredFloor, StoreUnavailable } from '@weft/store';
import type { Logger } from '@weft/telemetry';
import {
  type DroppedPieces,
  type LogRecord,
  type Wal,
  WalClosed,
  type WalReader,
  WalReplaced,
  WalTrimmed,
  WalUnavailable,
} from '@weft/wal';
import { Breather } from './breather.ts';
import { type Batch, Combiner } from './combiner.ts';
import { dueInMs, isFull, type WindowLimits } from './flush-window.ts';
import { FlushWriter } from './flush-writer.ts';
import type { Instruments } from './instruments.ts';
import type { TailLedger } from './tail-ledger.ts';
import { TrimClock } from './trim-clock.ts';
import { Wakeup } from './wakeup.ts';

export interface SessionLimits extends WindowLimits {
  /** Records younger than this stay in the log although they are in Postgres, ms. */
  readonly keepMs: number;
  readonly leaseMs: number;
}

export interface SessionDeps {
  readonly slice: number;
  readonly holder: string;
  readonly wal: Wal;
  readonly store: DocumentStore;
  readonly logger: Logger;
  readonly instruments: Instruments;
  readonly ledger: TailLedger;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  /** Aborts at the end of a stop: nothing more is written. */
  readonly signal: AbortSignal;
}

/** Why a slice is no longer followed. All but `overtaken` end with a last flush of what was read. */
export type SessionEnd = 'asked-to-end' | 'lease-lost' | 'overtaken' | 'log-changed';

/** What is read is flushed no sooner than a flush window later: nothing is won by reading each record as it comes. */
const readsPerFlush = 5;
const readEveryMsMax = 200;
const ANNOUNCE_EVERY_MS = 1_000;
const PROBE_EVERY_MS = 2_000;
const TRIM_EVERY_MS = 5_000;

/**
 * Following one slice from one floor, while we have its lease:
 *
 *   reading:  log -> combiner; stops reading while the combiner is full
 *   flushing: when the window is over: combiner -> merge -> rows and floor in one commit -> announce the floor; the same flush again while Postgres is away
 *   beside:   the lease prolonged, the floor announced again, the log trimmed behind it, lag measured
 *
 * Memory: a flush under way and one filling up, each `flushBytes` and what one read brings (8 MiB), and unfinished pieces.
 */
export class SliceSession {
  readonly #deps: SessionDeps;
  readonly #combiner: Combiner;
  readonly #writer: FlushWriter;
  readonly #reader: WalReader;
  readonly #trimClock = new TrimClock();
  /** Something to flush, or nothing more to come. */
  readonly #news: Wakeup;
  /** A flush made room. */
  readonly #room: Wakeup;
  readonly #over = new AbortController();
  #openedAtMs = 0;
  #end: SessionEnd | undefined;
  /** Everything whole up to here is in Postgres. */
  #committed = 0;
  #flushing: Batch | undefined;

  constructor(floor: StoredFloor, deps: SessionDeps) {
    this.#deps = deps;
    const { slice, store, logger, signal, wal, clock } = deps;
    this.#news = new Wakeup(clock);
    this.#room = new Wakeup(clock);
    this.#combiner = new Combiner({ slice, floorPosition: floor.position, onDropped: (dropped) => this.#onDropped(dropped) });
    this.#writer = new FlushWriter(floor, { slice, store, logger, clock, signal });
    this.#reader = wal.read(slice, floor.position + 1, floor.identity, {
      everyMs: Math.min(readEveryMsMax, deps.limits.flushMs / readsPerFlush),
    });
    // What was not trimmed before is as old as now at most; and where the log is full nothing comes after it.
    if (floor.position > 0) this.#trimClock.note(floor.position, clock.wallMs());
  }

  /** Stops reading; `run` resolves after the last flush. */
  finish(end: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#over.abort();
    this.#news.wake();
    this.#room.wake();
  }

  /** Rejects with what is no ordinary end: the caller starts a new session from the stored floor. */
  async run(): Promise<SessionEnd> {
    const { signal } = this.#over;
    const { limits, clock } = this.#deps;
    const onStop = (): void => this.finish('asked-to-end');
    this.#deps.signal.addEventListener('abort', onStop, { once: true });
    this.#announce();
    const work = [
      this.#read(),
      this.#flush(),
      every(limits.leaseMs / 3, () => this.#prolongLease(), signal, clock),
      every(ANNOUNCE_EVERY_MS, () => this.#announce(), signal, clock),
      every(PROBE_EVERY_MS, () => this.#probe(), signal, clock),
      every(TRIM_EVERY_MS, () => this.#trim(), signal, clock),
      this.#closeReaderAtEnd(signal),
    ];
    try {
      await Promise.all(work);
      return this.#end ?? 'asked-to-end';
    } catch (error) {
      // Whatever failed, the others must be over before a new session begins.
      this.finish('overtaken');
      await Promise.allSettled(work);
      throw error;
    } finally {
      this.#deps.signal.removeEventListener('abort', onStop);
    }
  }

  async #closeReaderAtEnd(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await this.#reader.close();
  }

  async #read(): Promise<void> {
    const { limits } = this.#deps;
    while (this.#end === undefined) {
      while (this.#end === undefined && isFull(this.#combiner, limits)) await this.#room.wait();
      const records = await this.#nextRecords();
      if (records === undefined) return;
      await this.#add(records);
    }
  }

  /** undefined: there will be none of this log. */
  async #nextRecords(): Promise<readonly LogRecord[] | undefined> {
    try {
      return await this.#reader.next();
    } catch (err) {
      if (err instanceof WalClosed) {
        this.finish('asked-to-end');
        return undefined;
      }
      if (!(err instanceof WalReplaced || err instanceof WalTrimmed)) throw err;
      // Whether that is an alarm shows when the floor is agreed on anew: another persistence may just have moved on and trimmed.
      this.#deps.logger.warn({ err, floor: this.#writer.floor }, 'the log cannot be read on from here; looking at the stored floor again');
      this.finish('log-changed');
      return undefined;
    }
  }

  async #add(records: readonly LogRecord[]): Promise<void> {
    const breather = new Breather(this.#deps.clock);
    for (const record of records) {
      if (this.#combiner.records === 0) this.#openedAtMs = this.#deps.clock.now();
      this.#combiner.add(record);
      this.#trimClock.note(record.position, record.atMs);
      this.#news.wake();
      await breather.breathe();
    }
  }

  async #flush(): Promise<void> {
    for (;;) {
      const batch = await this.#nextBatch();
      if (batch === undefined) return;
      this.#flushing = batch;
      await this.#write(batch);
      this.#flushing = undefined;
    }
  }

  /** The next window's content once it is over; undefined when nothing more comes, or nothing more may be written. */
  async #nextBatch(): Promise<Batch | undefined> {
    for (;;) {
      if (this.#end === 'overtaken' || this.#deps.signal.aborted) return undefined;
      if (this.#end !== undefined) return this.#takeLast();
      const dueMs = dueInMs(this.#combiner, { openedAtMs: this.#openedAtMs, nowMs: this.#deps.clock.now() }, this.#deps.limits);
      if (dueMs === 0) {
        const batch = this.#combiner.take();
        this.#room.wake();
        return batch;
      }
      await this.#news.wait(dueMs);
    }
  }

  #takeLast(): Batch | undefined {
    const batch = this.#combiner.take();
    this.#room.wake();
    return batch;
  }

  async #write(batch: Batch): Promise<void> {
    const { instruments, ledger, logger } = this.#deps;
    const slice = String(this.#deps.slice);
    const stopTimer = instruments.flushSeconds.startTimer({ slice });
    const written = await this.#writer.write(batch);
    stopTimer();
    if (written.kind === 'overtaken') {
      logger.warn(
        { ours: this.#writer.floor, stored: written.stored },
        'another persistence moved the floor of this slice; starting again from there',
      );
      this.finish('overtaken');
      return;
    }
    this.#committed = batch.readPosition;
    this.#announce();
    instruments.flushes.inc({ slice });
    instruments.flushRows.inc({ slice }, written.rows.length);
    instruments.flushUpdates.inc({ slice }, batch.updates);
    if (written.quarantined > 0) instruments.quarantined.inc({ at: 'flush' }, written.quarantined);
    let bytes = 0;
    for (const { name, update } of written.rows) {
      bytes += update.byteLength;
      ledger.flushed(name, 1, update.byteLength);
    }
    instruments.flushBytes.inc({ slice }, bytes);
    logger.debug({ floor: written.floor.position, rows: written.rows.length, bytes, updates: batch.updates }, 'flushed');
  }

  /** Only what is committed is announced: gateways may release acknowledgements by it. */
  #announce(): void {
    const { slice, wal, instruments, clock } = this.#deps;
    const { floor } = this.#writer;
    wal.announceFloor(slice, { ...floor, committed: Math.max(floor.position, this.#committed) });
    instruments.floorPosition.set({ slice: String(slice) }, floor.position);
    const oldest = this.#flushing?.oldestAtMs ?? (this.#combiner.records > 0 ? this.#combiner.oldestAtMs : undefined);
    instruments.floorAgeSeconds.set({ slice: String(slice) }, oldest === undefined ? 0 : Math.max(0, clock.wallMs() - oldest) / 1_000);
  }

  async #prolongLease(): Promise<void> {
    const { slice, holder, store, limits, logger } = this.#deps;
    try {
      if (await store.takeLease(slice, { holder, leaseMs: limits.leaseMs })) return;
    } catch (err) {
      if (!(err instanceof StoreUnavailable)) throw err;
      // Two readers at once are harmless, so we go on; who takes the lease meanwhile finds a database as well.
      logger.debug({ err }, 'the lease could not be prolonged');
      return;
    }
    logger.warn('another persistence has the lease of this slice');
    this.finish('lease-lost');
  }

  async #probe(): Promise<void> {
    const { slice, wal, instruments, logger } = this.#deps;
    const { identity, position } = this.#writer.floor;
    try {
      const state = await wal.state(slice);
      // One that ends before the floor went backwards: the reader gives it another identity.
      if (state.identity !== identity) this.finish('log-changed');
      else instruments.lagRecords.set({ slice: String(slice) }, Math.max(0, state.last - position));
    } catch (err) {
      if (!(err instanceof WalUnavailable || err instanceof WalClosed)) throw err;
      logger.debug({ err }, 'the log did not say where it ends');
    }
  }

  async #trim(): Promise<void> {
    const { slice, wal, limits, logger, clock } = this.#deps;
    const { identity, position: floor } = this.#writer.floor;
    const position = this.#trimClock.trimmable(floor, clock.wallMs() - limits.keepMs);
    if (position === undefined) return;
    try {
      await wal.trim(slice, { identity, position });
      this.#trimClock.trimmed(position);
    } catch (err) {
      if (!(err instanceof WalUnavailable || err instanceof WalReplaced || err instanceof WalClosed)) throw err;
      // The next one makes up for it.
      logger.warn({ err, position }, 'the log could not be trimmed');
    }
  }

  #onDropped(dropped: DroppedPieces): void {
    const { logger, instruments } = this.#deps;
    instruments.droppedPieces.inc({ reason: dropped.reason });
    if (dropped.reason === 'over-bound')
      logger.error(dropped, 'an unfinished update was larger than the bounds for pieces: it may be lost here');
    else logger.warn(dropped, 'an unfinished update was given up; nobody was told that it is safe');
  }
}
