import type { Logger } from '@weft/telemetry';
import type pg from 'pg';
import { SqlNotices, floorChannel, logChannel, sliceFloorNotice } from './sql-notices.ts';
import { SqlReader } from './sql-reader.ts';
import { makeSlices, makeTables, renewSlice, tooOldVersion } from './sql-schema.ts';
import { appendFailure, isTableMissing, openPool, unavailable } from './sql-session.ts';
import {
  type Appended,
  type AnnouncedFloor,
  type Floor,
  type ReadOptions,
  type SliceState,
  type Wal,
  WalClosed,
  WalFull,
  type WalReader,
  WalRecordTooLarge,
  WalReplaced,
  WalUnavailable,
  WalUnusable,
} from './wal.ts';
import { wentBackwards } from './went-backwards.ts';

const timeoutMsDefault = 5_000;
const bytesMaxDefault = 1024 * 1024 * 1024;
/** Positions a trim forgets in one statement: it holds the slice's row, which appends wait for. */
const trimChunk = 500;

/**
 * The row lock makes commit order position order: the next append of the slice waits until this one is committed, and so visible. The notice leaves with
 * the commit.
 */
const appendRecord = `
  WITH slice AS (
    UPDATE weft_log_slices SET last = last + 1, bytes = bytes + octet_length($2::bytea)
     WHERE slice = $1 AND bytes + octet_length($2::bytea) <= $3
    RETURNING identity, last),
  taken AS (
    INSERT INTO weft_log (slice, position, at, record) SELECT $1, last, clock_timestamp(), $2 FROM slice)
  SELECT identity::text AS identity, last::text AS position, pg_notify('${logChannel}', $1::text)::text FROM slice`;

const trimRecords = `
  WITH gone AS (
    DELETE FROM weft_log
     WHERE slice = $1 AND position <= $2 AND EXISTS (SELECT FROM weft_log_slices WHERE slice = $1 AND identity::text = $3)
    RETURNING octet_length(record) AS bytes)
  UPDATE weft_log_slices
     SET first = greatest(first, $2 + 1), bytes = bytes - (SELECT coalesce(sum(bytes), 0) FROM gone)
   WHERE slice = $1 AND identity::text = $3`;

export interface SqlWalOptions {
  /** `postgres://…`, or with a socket: `postgres://user@/database?host=/folder`. */
  readonly url: string;
  readonly logger: Logger;
  /** WEFT_LOG_SLICES: slices 0 .. slices - 1 exist. */
  readonly slices?: number;
  /** Bytes of records a slice holds before it is full (WalFull). */
  readonly bytesMax?: number;
  /** A statement over this time is given up as WalUnavailable. */
  readonly timeoutMs?: number;
}

/** The log as a table of PostgreSQL >= 15: for the laptop and the smallest install. One round trip and one fsync an append. */
export class SqlWal implements Wal {
  /** Fixed: what NATS has by default, so that a move to JetStream changes nothing. */
  readonly recordBytesMax = 1024 * 1024;
  readonly #options: SqlWalOptions;
  readonly #slices: readonly number[];
  readonly #pool: pg.Pool;
  readonly #readers = new Set<{ readonly slice: number; readonly reader: SqlReader }>();
  readonly #floorListeners = new Map<number, Set<(floor: AnnouncedFloor) => void>>();
  /** The furthest append of ours that was answered, by slice. */
  readonly #answered = new Map<number, Floor>();
  /** Floors being announced, and by slice the newest that waits for that: at most one of each a slice. */
  readonly #announcing = new Map<number, AnnouncedFloor | undefined>();
  #notices: SqlNotices | undefined;
  #closed = false;

  constructor(options: SqlWalOptions) {
    this.#options = options;
    this.#slices = Array.from({ length: options.slices ?? 1 }, (_, slice) => slice);
    this.#pool = openPool({ url: options.url, logger: options.logger, timeoutMs: options.timeoutMs ?? timeoutMsDefault });
  }

  async open(): Promise<void> {
    let old: string | undefined;
    try {
      old = await tooOldVersion(this.#pool);
      await makeTables(this.#pool);
      await makeSlices(this.#pool, this.#slices);
    } catch (error) {
      throw unavailable('open', error);
    }
    if (old !== undefined) throw new WalUnusable(`the log needs PostgreSQL 15 or newer, this is ${old}`);
  }

  async append(slice: number, record: Uint8Array): Promise<Appended> {
    this.#assertSlice(slice);
    if (record.byteLength > this.recordBytesMax) {
      throw new WalRecordTooLarge(`a record of ${record.byteLength} bytes; at most ${this.recordBytesMax} are taken`);
    }
    const before = this.#answered.get(slice);
    const row = await this.#tryAppend(slice, record);
    if (row) return this.#appended(slice, before, { identity: row.identity, position: Number(row.position) });
    // Nothing was taken: either the slice is full, or it is not there.
    await this.#makeAnew(slice, 'append');
    throw new WalFull(`slice ${slice}: the log is full (${this.#bytesMax} bytes); it is emptied as persistence gets on`);
  }

  async state(slice: number): Promise<SliceState> {
    this.#assertSlice(slice);
    const held = await this.#stateOf(slice);
    if (held) return held;
    await this.#makeAnew(slice, 'state').catch((error: unknown) => this.#options.logger.debug({ err: error }, 'log: made anew'));
    const made = await this.#stateOf(slice);
    if (!made) throw new WalUnavailable(`state: slice ${slice} vanishes as soon as it is made`);
    return made;
  }

  read(slice: number, from: number, identity: string, { everyMs = 0 }: ReadOptions = {}): WalReader {
    this.#assertSlice(slice);
    this.#listen();
    const entry = {
      slice,
      reader: new SqlReader(this.#pool, this.#options.logger, { slice, from, identity, everyMs }, () => this.#readers.delete(entry)),
    };
    this.#readers.add(entry);
    return entry.reader;
  }

  async trim(slice: number, { identity, position }: Floor): Promise<void> {
    const held = await this.state(slice);
    const upTo = Math.min(position, held.last);
    for (let chunk = Math.min(held.first - 1 + trimChunk, upTo); ; chunk = Math.min(chunk + trimChunk, upTo)) {
      const { rowCount } = await this.#pool
        .query({ name: 'weft-log-trim', text: trimRecords, values: [slice, chunk, identity] })
        .catch((error: unknown) => {
          throw unavailable('trim', error);
        });
      if (rowCount === 0) throw new WalReplaced(`trim: slice ${slice} no longer is the log ${identity}`);
      if (chunk >= upTo) return;
    }
  }

  announceFloor(slice: number, floor: AnnouncedFloor): void {
    if (this.#closed) return;
    if (this.#announcing.has(slice)) this.#announcing.set(slice, floor);
    else void this.#announce(slice, floor);
  }

  onFloor(slice: number, listener: (floor: AnnouncedFloor) => void): () => void {
    this.#assertSlice(slice);
    this.#listen();
    const listeners = this.#floorListeners.get(slice) ?? new Set();
    this.#floorListeners.set(slice, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  async weaknesses(): Promise<string[]> {
    const { rows } = await this.#pool
      .query<{ fsync: string; pages: string; commit: string }>(
        `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS commit`,
      )
      .catch((error: unknown) => {
        throw unavailable('weaknesses', error);
      });
    const { fsync, pages, commit } = rows[0]!;
    const found: string[] = [];
    if (fsync === 'off')
      found.push('PostgreSQL runs with fsync=off: a power cut loses what was acknowledged, or the whole database; set fsync=on');
    if (pages === 'off')
      found.push('PostgreSQL runs with full_page_writes=off: a power cut may destroy the database; set full_page_writes=on');
    if (commit === 'off' || commit === 'local')
      found.push(`synchronous_commit is ${commit} although the log's sessions set it to on: commits are acknowledged before they are safe`);
    return found;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#readers].map(({ reader }) => reader.close()));
    await this.#notices?.close();
    await this.#pool.end();
  }

  /** Not further than an append that was answered before it left: the log went backwards (SPEC.md, I2), and is given another identity. */
  async #appended(slice: number, before: Floor | undefined, appended: Appended): Promise<Appended> {
    const { identity, position } = appended;
    const furthest = this.#answered.get(slice);
    if (before?.identity !== identity || position > before.position) {
      // Of appends on their way together the later may be answered first.
      if (furthest?.identity !== identity || position > furthest.position) this.#answered.set(slice, appended);
      return appended;
    }
    this.#options.logger.error({ slice, identity, before: before.position, now: position }, `append: ${wentBackwards}`);
    try {
      await renewSlice(this.#pool, slice, identity);
    } catch (error) {
      throw unavailable('append', error);
    }
    return { identity: (await this.state(slice)).identity, position };
  }

  get #bytesMax(): number {
    return this.#options.bytesMax ?? bytesMaxDefault;
  }

  async #tryAppend(slice: number, record: Uint8Array): Promise<{ identity: string; position: string } | undefined> {
    // A Buffer is sent as it is, in binary; a Uint8Array as hexadecimal text.
    const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
    try {
      const values = [slice, bytes, this.#bytesMax];
      const { rows } = await this.#pool.query<{ identity: string; position: string }>({
        name: 'weft-log-append',
        text: appendRecord,
        values,
      });
      return rows[0];
    } catch (error) {
      if (isTableMissing(error)) return undefined;
      throw appendFailure(error);
    }
  }

  async #stateOf(slice: number): Promise<SliceState | undefined> {
    try {
      const { rows } = await this.#pool.query<{ identity: string; first: string; last: string }>(
        'SELECT identity::text AS identity, first::text AS first, last::text AS last FROM weft_log_slices WHERE slice = $1',
        [slice],
      );
      const row = rows[0];
      return row && { identity: row.identity, first: Number(row.first), last: Number(row.last) };
    } catch (error) {
      if (isTableMissing(error)) return undefined;
      throw unavailable('state', error);
    }
  }

  /** Rejects with WalUnavailable if it made the slice: the caller tries again on the new log. */
  async #makeAnew(slice: number, what: string): Promise<void> {
    let made: number[];
    try {
      await makeTables(this.#pool);
      made = await makeSlices(this.#pool, [slice]);
    } catch (error) {
      throw unavailable(what, error);
    }
    if (!made.includes(slice)) return;
    this.#options.logger.error(
      { slice },
      'the log was LOST: its table was gone. A new one was made; what was not yet in the document store is resent by gateways and clients',
    );
    throw new WalUnavailable(`${what}: slice ${slice} of the log was gone; it was made anew`);
  }

  #listen(): void {
    if (this.#closed) throw new WalClosed('the log is closed');
    this.#notices ??= new SqlNotices(this.#options.url, this.#options.logger, {
      appended: (slice) => {
        for (const entry of this.#readers) if (slice === undefined || entry.slice === slice) entry.reader.nudge();
      },
      floor: (slice, floor) => {
        for (const listener of this.#floorListeners.get(slice) ?? []) listener(floor);
      },
    });
  }

  async #announce(slice: number, floor: AnnouncedFloor): Promise<void> {
    for (let next: AnnouncedFloor | undefined = floor; next; next = this.#announcing.get(slice)) {
      this.#announcing.set(slice, undefined);
      try {
        await this.#pool.query('SELECT pg_notify($1, $2)', [floorChannel, sliceFloorNotice(slice, next)]);
      } catch (error) {
        this.#options.logger.debug({ err: error, slice }, 'log: a floor could not be announced; the next one heals it');
      }
    }
    this.#announcing.delete(slice);
  }

  #assertSlice(slice: number): void {
    if (this.#closed) throw new WalClosed('the log is closed');
    if (!this.#slices.includes(slice)) throw new RangeError(`slice ${slice}: there are ${this.#slices.length}, counted from 0`);
  }
}
