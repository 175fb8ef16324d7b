import { lengthPrefix } from '@weft/protocol';

/**
 * The bytes of an answer, `frameUpdates` of its updates, without ever joining them: a 50 MB document is sent from the pieces where they lie.
 */
export class AnswerSource {
  readonly totalBytes: number;
  readonly updates: readonly Uint8Array[];
  readonly #segments: readonly Uint8Array[];
  /** Offset of each segment's first byte. */
  readonly #starts: readonly number[];

  constructor(updates: readonly Uint8Array[]) {
    this.updates = updates;
    const segments: Uint8Array[] = [];
    const starts: number[] = [];
    let total = 0;
    for (const update of updates) {
      for (const segment of [lengthPrefix(update.byteLength), update]) {
        segments.push(segment);
        starts.push(total);
        total += segment.byteLength;
      }
    }
    this.totalBytes = total;
    this.#segments = segments;
    this.#starts = starts;
  }

  /**
   * At most `bytesMax` bytes from `offset`; empty at or past the end. Where they fit into `into` they are written there instead, and are a view of it, good until
   * `into` is written to again.
   */
  slice(offset: number, bytesMax: number, into?: Uint8Array): Uint8Array {
    const end = Math.min(this.totalBytes, offset + bytesMax);
    const length = Math.max(0, end - offset);
    const out = into && length <= into.length ? into.subarray(0, length) : new Uint8Array(length);
    for (let i = this.#segmentAt(offset); i < this.#segments.length && this.#starts[i]! < end; i++) {
      const start = this.#starts[i]!;
      const segment = this.#segments[i]!;
      const from = Math.max(0, offset - start);
      out.set(segment.subarray(from, Math.min(segment.byteLength, end - start)), start + from - offset);
    }
    return out;
  }

  /** The last segment that starts at or before `offset`. */
  #segmentAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
