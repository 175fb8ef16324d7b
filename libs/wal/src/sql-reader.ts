import type { Logger } from '@weft/telemetry';
import type pg from 'pg';
import { renewSlice } from './sql-schema.ts';
import { isTableMissing } from './sql-session.ts';
import { wentBackwards } from './went-backwards.ts';
import { type LogRecord, WalClosed, type WalReader, WalReplaced, WalTrimmed } from './wal.ts';

/** Of one `next`. At least one record is given, whatever its size. */
const batchBytesMax = 8 * 1024 * 1024;
const batchRecordsMax = 1_000;
/** A notice may be lost: how long a reader trusts the silence. */
const pollMs = 1_000;
/** Between attempts while the database is away. */
const awayMs = 250;

/**
 * One statement, so one snapshot: whose log it is, what it holds, and the next records by position. The sizes are summed from the stored lengths;
 * records beyond the bound are not fetched.
 */
const nextRecords = `
  SELECT s.identity::text AS identity, s.first::text AS first, s.last::text AS last, r.position::text AS position,
         (extract(epoch FROM r.at) * 1000)::float8::text AS at, extract(epoch FROM r.at)::text AS taken_at, r.record,
         (SELECT extract(epoch FROM at)::text FROM weft_log WHERE slice = s.slice AND position = $2 - 1) AS before_at
    FROM weft_log_slices s
    LEFT JOIN LATERAL (
      SELECT position, at, record
        FROM (SELECT position, at, record, sum(octet_length(record)) OVER (ORDER BY position) - octet_length(record) AS before
                FROM (SELECT position, at, record FROM weft_log
                       WHERE slice = s.slice AND position >= $2 ORDER BY position LIMIT ${batchRecordsMax}) page) sized
       WHERE before < ${batchBytesMax}) r ON true
   WHERE s.slice = $1
   ORDER BY r.position`;

interface Row {
  readonly identity: string;
  readonly first: string;
  readonly last: string;
  readonly position: string | null;
  readonly at: string;
  readonly taken_at: string;
  readonly record: Buffer;
  /** When the log took the record before, if it still has it. */
  readonly before_at: string | null;
}

/** The log at the position that was read last is not the one that was read. */
class WentBackwards extends Error {}

export class SqlReader implements WalReader {
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  readonly #slice: number;
  readonly #identity: string;
  readonly #onClose: () => void;
  #next: number;
  /** When the log took the last record that was read. */
  #lastTakenAt: string | undefined;
  readonly #everyMs: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** Set by a notice: something may be there. Cleared before looking, so that none is missed. */
  #news = false;
  #wake: (() => void) | undefined;

  constructor(
    pool: pg.Pool,
    logger: Logger,
    start: { slice: number; from: number; identity: string; everyMs: number },
    onClose: () => void,
  ) {
    this.#pool = pool;
    this.#logger = logger;
    this.#slice = start.slice;
    this.#identity = start.identity;
    this.#next = start.from;
    this.#everyMs = start.everyMs;
    this.#onClose = onClose;
  }

  /** Look again: records may have come. */
  nudge(): void {
    this.#news = true;
    if (this.#everyMs === 0) this.#wake?.();
  }

  async next(): Promise<readonly LogRecord[]> {
    const dueInMs = this.#lookedAtMs + this.#everyMs - performance.now();
    if (dueInMs > 0 && !this.#closed) await this.#sleep(dueInMs);
    for (;;) {
      this.#lookedAtMs = performance.now();
      if (this.#closed) throw new WalClosed('the reader is closed');
      this.#news = false;
      const rows = await this.#look();
      if (this.#closed) throw new WalClosed('the reader is closed');
      const records = rows ? await this.#takeOrRenew(rows) : [];
      if (records.length > 0) return records;
      await this.#pause(rows ? this.#everyMs || pollMs : awayMs);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    this.#onClose();
  }

  /** undefined: the database is away. */
  async #look(): Promise<readonly Row[] | undefined> {
    try {
      return (await this.#pool.query<Row>({ name: 'weft-log-read', text: nextRecords, values: [this.#slice, this.#next] })).rows;
    } catch (error) {
      if (isTableMissing(error))
        throw new WalReplaced(`slice ${this.#slice}: the log ${this.#identity} is gone, its tables are missing`, { cause: error });
      this.#logger.debug({ err: error, slice: this.#slice }, 'log: cannot read; trying again');
      return undefined;
    }
  }

  /** A log that went backwards is given another identity (SPEC.md, I2). */
  async #takeOrRenew(rows: readonly Row[]): Promise<LogRecord[]> {
    try {
      return this.#take(rows);
    } catch (error) {
      if (!(error instanceof WentBackwards)) throw error;
      this.#logger.error({ slice: this.#slice, identity: this.#identity, read: this.#next - 1 }, `read: ${wentBackwards}`);
      try {
        await renewSlice(this.#pool, this.#slice, this.#identity);
      } catch (cause) {
        this.#logger.debug({ err: cause, slice: this.#slice }, 'log: cannot be renewed; trying again');
        return [];
      }
      throw new WalReplaced(error.message);
    }
  }

  #take(rows: readonly Row[]): LogRecord[] {
    const slice = rows[0];
    if (slice?.identity !== this.#identity) {
      throw new WalReplaced(`slice ${this.#slice}: the log ${this.#identity} is gone, there is ${slice ? slice.identity : 'none'} now`);
    }
    if (this.#lastTakenAt !== undefined && slice.before_at !== null && slice.before_at !== this.#lastTakenAt)
      throw this.#backwards(slice.last);
    const records: LogRecord[] = [];
    let takenAt = this.#lastTakenAt;
    let found: number | undefined;
    for (const { position, at, taken_at, record } of rows) {
      if (position === null) break;
      found = Number(position);
      // A hole somebody cut into the table: what lies before it is given, the next call tells.
      if (found !== this.#next + records.length) break;
      records.push({ position: found, atMs: Number(at), bytes: record });
      takenAt = taken_at;
    }
    const [first, last] = [Number(slice.first), Number(slice.last)];
    if (records.length === 0) this.#assertAtEnd(first, last, found);
    this.#next += records.length;
    this.#lastTakenAt = takenAt;
    return records;
  }

  /** There is no record at `next`: it is to come, or it is gone. */
  #assertAtEnd(first: number, last: number, found: number | undefined): void {
    if (this.#next > last + 1) throw this.#backwards(String(last));
    if (this.#next === last + 1) return;
    const begins = found ?? Math.max(first, last + 1);
    throw new WalTrimmed(`slice ${this.#slice}: position ${this.#next} is gone, the log begins at ${begins}`, begins);
  }

  #backwards(last: string): WentBackwards {
    return new WentBackwards(
      `slice ${this.#slice}: the log ${this.#identity} went backwards, from ${this.#next - 1} or more to ${last}: records that were read are lost`,
    );
  }

  #pause(ms: number): Promise<void> {
    return this.#news || this.#closed ? Promise.resolve() : this.#sleep(ms);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
