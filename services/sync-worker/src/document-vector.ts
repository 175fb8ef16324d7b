import { advanceStateVector, coversRanges, decodeStateVector, encodeStateVector, type UpdateScan } from '@weft/updates';

/** Scans kept that do not join up yet. Beyond it the oldest is forgotten, and the vector understates, which only costs resending. */
const waitingMax = 256;

/** The state vector of a growing set of updates. It may understate while an update waits for an earlier one, and never overstates. */
export class DocumentVector {
  readonly #clocks: Map<number, number>;
  #waiting: UpdateScan[] = [];

  constructor(stateVector: Uint8Array) {
    this.#clocks = decodeStateVector(stateVector);
  }

  add(scan: UpdateScan): void {
    advanceStateVector(this.#clocks, scan);
    if (!coversRanges(this.#clocks, scan)) {
      this.#waiting.push(scan);
      if (this.#waiting.length > waitingMax) this.#waiting.shift();
      return;
    }
    if (this.#waiting.length > 0) this.#retryWaiting();
  }

  covers(scan: UpdateScan): boolean {
    return coversRanges(this.#clocks, scan);
  }

  encode(): Uint8Array {
    return encodeStateVector(this.#clocks);
  }

  #retryWaiting(): void {
    for (let before = -1; before !== this.#waiting.length;) {
      before = this.#waiting.length;
      this.#waiting = this.#waiting.filter((scan) => {
        advanceStateVector(this.#clocks, scan);
        return !coversRanges(this.#clocks, scan);
      });
    }
  }
}
