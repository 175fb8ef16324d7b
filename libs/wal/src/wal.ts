/**
 * The Wal port: the log, the one truth of the house. One ordered sequence of records a slice.
 *
 * Contract (both sides, JetStream and SQL, pass `contract.test-suite.ts`):
 * - `append` resolves once the record is durable (fsynced; with replicas: on a majority) and says its position.
 *   Its rejection with `WalUnavailable` means UNKNOWN: the record may be there or come later. The caller sends the
 *   same bytes again; readers may therefore see a record twice, which CRDT updates bear. `WalFull` and
 *   `WalRecordTooLarge` mean it was surely not taken.
 * - Positions of a slice start at 1 and grow by one a record. What a reader has seen at a position never changes.
 *   A record becomes visible to readers in position order: nothing turns up behind a reader.
 * - `identity` names this very log. A log lost and made anew has another identity and starts at 1 again, one that went backwards gets another and keeps its
 *   numbers: positions of different identities are not comparable.
 * - A reader gets every record from its start on, in order, without gaps, as long as it is not trimmed.
 *   If its next position was trimmed away it rejects with `WalTrimmed` (has `first`). If the identity
 *   changes under it, or the log is gone, it rejects with `WalReplaced`. While the log is away a reader waits and goes on by itself.
 *   A log that went backwards under its identity (a power cut where it was not fsynced, a backup put back) is given another identity by the reader or the
 *   append that finds it so, and so is a replaced one too. Either way the reader's caller asks `state` and starts over at `first`; its old positions mean nothing.
 * - Who finds the log gone in `open`, `append`, `state` or `trim` makes it anew, under a new identity, and logs an error.
 * - Floors: persistence announces how far a slice is safely in Postgres. Announcements may be lost; the next one heals it.
 */
export interface Wal {
  /** Largest record `append` takes, bytes (from NATS `max_payload`; the SQL side has a fixed one). */
  readonly recordBytesMax: number;
  /** Creates what is missing (streams, tables). Retries are the caller's. Rejects with WalUnavailable, or WalUnusable, which no retry mends. */
  open(): Promise<void>;
  append(slice: number, record: Uint8Array): Promise<Appended>;
  /** What the slice holds now. `last` is 0 for a fresh log; `first` is `last + 1` when it holds nothing. */
  state(slice: number): Promise<SliceState>;
  /** Reads from position `from` (1 to `last + 1`) of the log `identity` on. */
  read(slice: number, from: number, identity: string, options?: ReadOptions): WalReader;
  /**
   * Forgets records at positions <= `upTo.position`, if the log still is `upTo.identity`; else rejects with WalReplaced and forgets nothing: a position
   * of a lost log would cut what is not yet anywhere else out of the new one. Idempotent.
   */
  trim(slice: number, upTo: Floor): Promise<void>;
  announceFloor(slice: number, floor: AnnouncedFloor): void;
  /** Returns its own removal. */
  onFloor(slice: number, listener: (floor: AnnouncedFloor) => void): () => void;
  /** Why an acknowledgement could be weaker than promised (e.g. NATS without `sync_interval: always`); empty when it is not. */
  weaknesses(): Promise<string[]>;
  close(): Promise<void>;
}

export interface Appended {
  readonly identity: string;
  readonly position: number;
}

export interface SliceState {
  readonly identity: string;
  readonly first: number;
  readonly last: number;
}

/** Everything at positions <= `position` of log `identity` is committed in Postgres. */
export interface Floor {
  readonly identity: string;
  readonly position: number;
}

export interface AnnouncedFloor extends Floor {
  /**
   * At least `position`: everything whole at positions <= this is committed in Postgres as well. The floor itself waits below an update in pieces that is not whole yet;
   * acknowledgements need not.
   */
  readonly committed: number;
}

export interface LogRecord {
  readonly position: number;
  /** When the log took it, ms since the epoch, by the log's clock. */
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

export interface ReadOptions {
  /** Who is in no hurry looks so often, ms: many records at a time, and few wake-ups for the log and itself. Default: each record at once. */
  readonly everyMs?: number;
}

export interface WalReader {
  /** Waits for at least one record, gives what is there (bounded by about 8 MiB). One call at a time. Rejects with `WalClosed` after `close`. */
  next(): Promise<readonly LogRecord[]>;
  close(): Promise<void>;
}

export class WalUnavailable extends Error {
  override readonly name = 'WalUnavailable';
}
/** The log is there but must not be used as it is: too old a server, settings that break the promise. The message says what to change. */
export class WalUnusable extends Error {
  override readonly name = 'WalUnusable';
}
export class WalFull extends Error {
  override readonly name = 'WalFull';
}
export class WalRecordTooLarge extends Error {
  override readonly name = 'WalRecordTooLarge';
}
export class WalReplaced extends Error {
  override readonly name = 'WalReplaced';
}
export class WalClosed extends Error {
  override readonly name = 'WalClosed';
}
export class WalTrimmed extends Error {
  override readonly name = 'WalTrimmed';
  readonly first: number;
  constructor(message: string, first: number) {
    super(message);
    this.first = first;
  }
}
