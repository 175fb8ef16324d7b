import type { Logger } from '@weft/telemetry';
import { type Clock, retry } from '@weft/lifecycle';
import { type Appended, RecordPacker, type Wal, WalFull, WalRecordTooLarge, WalUnavailable } from '@weft/wal';
import type { BatchEntry } from './append-queue.ts';

/** Readers give up an update in pieces whose rest does not come (libs/wal/SPEC.md, P5 and P6): after a wait this long its pieces are sent anew. */
const pieceWaitMsMax = 120_000;

/**
 * forward-record-answer: batch -> one or more records -> the log, one at a time. No answer, or a full log: the same bytes again, for as long as it takes
 * (architecture.md, section 3). A record may so be in the log twice, which CRDT updates bear.
 */
export class SliceWriter {
  readonly #slice: number;
  readonly #wal: Wal;
  readonly #logger: Logger;
  readonly #packer: RecordPacker;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor({ slice, origin, wal, logger, clock, signal }: SliceWriterParts) {
    this.#slice = slice;
    this.#wal = wal;
    this.#logger = logger;
    this.#packer = new RecordPacker(origin);
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Where the log took the last of it; all of it is in that very log. Rejects only when the gateway stops. */
  async append(entries: readonly BatchEntry[]): Promise<Appended> {
    for (;;) {
      const appended = await this.#appendAll(entries);
      if (appended) return appended;
      this.#logger.warn({ slice: this.#slice, entries: entries.length }, 'a batch is sent to the log again from its beginning');
    }
  }

  /** undefined: start over. The log was replaced in between, its records became smaller, or a run of pieces waited too long. */
  async #appendAll(entries: readonly BatchEntry[]): Promise<Appended | undefined> {
    let last: Appended | undefined;
    for (const record of this.#packer.recordsFrom(entries, this.#wal.recordBytesMax)) {
      const startedMs = this.#clock.now();
      const appended = await this.#appendRecord(record.bytes);
      if (!appended || (last && (appended.identity !== last.identity || this.#clock.now() - startedMs > pieceWaitMsMax))) return undefined;
      last = appended;
    }
    if (!last) throw new Error('a batch without entries');
    return last;
  }

  async #appendRecord(bytes: Uint8Array): Promise<Appended | undefined> {
    try {
      return await retry(() => this.#wal.append(this.#slice, bytes), {
        signal: this.#signal,
        logger: this.#logger,
        clock: this.#clock,
        what: `append to slice ${this.#slice} of the log`,
        baseMs: 20,
        maxMs: 1000,
        isRetryable: (error) => error instanceof WalUnavailable || error instanceof WalFull,
      });
    } catch (error) {
      if (error instanceof WalRecordTooLarge) return undefined;
      throw error;
    }
  }
}

export interface SliceWriterParts {
  readonly slice: number;
  /** `peerKey` of this gateway. */
  readonly origin: string;
  readonly wal: Wal;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
