import * as encoding from 'lib0/encoding';

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
      for (const segment of [encoding.encode((encoder) => encoding.writeVarUint(encoder, update.byteLength)), update]) {
        segments.push(segment);
        starts.push(total);
        total += segment.byteLength;
      }
    }
    this.totalBytes = total;
    this.#segments = segments;
    this.#starts = starts;
  }

  /** At most `bytesMax` bytes from `offset`; empty at or past the end. */
  slice(offset: number, bytesMax: number): Uint8Array {
    const end = Math.min(this.totalBytes, offset + bytesMax);
    const out = new Uint8Array(Math.max(0, end - offset));
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
