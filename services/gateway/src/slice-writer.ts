import type { Logger } from '@weft/telemetry';
import { retry } from '@weft/lifecycle';
import { type Appended, RecordPacker, type Wal, WalFull, WalUnavailable } from '@weft/wal';
import type { BatchEntry } from './append-queue.ts';

/**
 * forward-record-answer: batch -> one or more records -> the log, one at a time. No answer, or a full log: the same bytes again, for as long as it takes
 * (architecture.md, section 3). A record may so be in the log twice, which CRDT updates bear.
 */
export class SliceWriter {
  readonly #slice: number;
  readonly #wal: Wal;
  readonly #logger: Logger;
  readonly #packer: RecordPacker;
  readonly #signal: AbortSignal;

  /** @param origin `peerKey` of this gateway */
  constructor(slice: number, origin: string, wal: Wal, logger: Logger, signal: AbortSignal) {
    this.#slice = slice;
    this.#wal = wal;
    this.#logger = logger;
    this.#packer = new RecordPacker(origin);
    this.#signal = signal;
  }

  /** Where the log took the last of it. Rejects only when the gateway stops. */
  async append(entries: readonly BatchEntry[]): Promise<Appended> {
    let appended: Appended | undefined;
    for (const record of this.#packer.recordsFrom(entries, this.#wal.recordBytesMax)) appended = await this.#appendRecord(record.bytes);
    if (!appended) throw new Error('a batch without entries');
    return appended;
  }

  #appendRecord(bytes: Uint8Array): Promise<Appended> {
    return retry(() => this.#wal.append(this.#slice, bytes), {
      signal: this.#signal,
      logger: this.#logger,
      what: `append to slice ${this.#slice} of the log`,
      baseMs: 20,
      maxMs: 1000,
      isRetryable: (error) => error instanceof WalUnavailable || error instanceof WalFull,
    });
  }
}
