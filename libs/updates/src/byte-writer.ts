/** A growing buffer for the V1 encoding. `take` gives what was written, after which nothing more may be. */
export class ByteWriter {
  private buffer: Uint8Array;
  length = 0;

  constructor(capacity = 64) {
    this.buffer = new Uint8Array(capacity);
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  varUint(value: number): void {
    // The exact number of bytes is asked for only where it matters: a buffer of the right size must not grow.
    if (this.length + VAR_UINT_BYTES_MAX > this.buffer.length) this.reserve(varUintBytes(value));
    this.length = this.put(value, this.length);
  }

  /** Copies `source[from, to)`. */
  copy(source: Uint8Array, from = 0, to = source.length): void {
    this.reserve(to - from);
    const { buffer } = this;
    if (to - from <= COPIED_BY_HAND_MAX) {
      for (let pos = from, at = this.length; pos < to; pos++, at++) buffer[at] = source[pos]!;
    } else {
      buffer.set(from === 0 && to === source.length ? source : source.subarray(from, to), this.length);
    }
    this.length += to - from;
  }

  /** Writes the number of bytes from `from` to the end as a varUint into `[at, from)`, and moves those bytes if it needs another place. */
  writeLength(at: number, from: number): void {
    const bytes = this.length - from;
    const moved = at + varUintBytes(bytes);
    if (moved !== from) {
      this.reserve(Math.max(moved - from, 0));
      this.buffer.copyWithin(moved, from, this.length);
      this.length = moved + bytes;
    }
    this.put(bytes, at);
  }

  /** Forgets what was written, to write anew. */
  clear(): void {
    this.length = 0;
  }

  take(): Uint8Array {
    return this.length === this.buffer.length ? this.buffer : this.buffer.slice(0, this.length);
  }

  /** What was written, as a view that the next write may leave behind. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** Writes at `at`, where there is room; gives the place after it. */
  private put(value: number, at: number): number {
    const { buffer } = this;
    let pos = at;
    let rest = value;
    while (rest > 0x7f) {
      // `&` sees the low 32 bits only, which is all it needs of the low seven.
      buffer[pos++] = 0x80 | (rest & 0x7f);
      rest = Math.floor(rest / 128);
    }
    buffer[pos++] = rest;
    return pos;
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}

/** Of a number up to 2^53. */
const VAR_UINT_BYTES_MAX = 8;
/** A letter is copied faster than a view of it is made. */
const COPIED_BY_HAND_MAX = 24;

/** How many bytes `ByteWriter.varUint` writes. */
export function varUintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}
