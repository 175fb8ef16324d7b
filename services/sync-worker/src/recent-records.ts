import type { LogRecord } from '@weft/wal';

/**
 * The records the main reader took lately, owned or not: a partition that is gained is filled from them, without reading the log again while people wait. Bounded in time and bytes; what is
 * no longer here is read from the log.
 */
export class RecentRecords {
  readonly #limits: RecentLimits;
  #records: { readonly record: LogRecord; readonly takenAtMs: number }[] = [];
  /** Of `#records` those before it have been forgotten. */
  #head = 0;
  #bytes = 0;
  /** Everything after this position was taken. */
  #after: number;

  constructor(after: number, limits: RecentLimits) {
    this.#after = after;
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(record: LogRecord, nowMs: number): void {
    this.#records.push({ record, takenAtMs: nowMs });
    this.#bytes += record.bytes.byteLength + recordOverheadBytes;
    this.forget(nowMs);
  }

  forget(nowMs: number): void {
    const { bytesMax, keepMs } = this.#limits;
    for (let oldest = this.#records[this.#head]; oldest; oldest = this.#records[this.#head]) {
      if (this.#bytes <= bytesMax && nowMs - oldest.takenAtMs <= keepMs) break;
      this.#bytes -= oldest.record.bytes.byteLength + recordOverheadBytes;
      this.#after = oldest.record.position;
      this.#head += 1;
    }
    if (this.#head <= this.#records.length / 2) return;
    this.#records = this.#records.slice(this.#head);
    this.#head = 0;
  }

  /** Positions (after, to], all of them; undefined where they reach back further than what is kept. */
  between(after: number, to: number): LogRecord[] | undefined {
    if (after < this.#after) return undefined;
    const found: LogRecord[] = [];
    for (let i = this.#head; i < this.#records.length; i++) {
      const { record } = this.#records[i]!;
      if (record.position > after && record.position <= to) found.push(record);
    }
    return found;
  }
}

/** An object, two numbers, a view. */
const recordOverheadBytes = 200;

export interface RecentLimits {
  readonly bytesMax: number;
  readonly keepMs: number;
}
