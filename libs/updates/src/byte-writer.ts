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
    this.reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      // `&` sees the low 32 bits only, which is all it needs of the low seven.
      this.buffer[this.length++] = 0x80 | (rest & 0x7f);
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
  }

  /** Copies `source[from, to)`. */
  copy(source: Uint8Array, from = 0, to = source.length): void {
    this.reserve(to - from);
    this.buffer.set(from === 0 && to === source.length ? source : source.subarray(from, to), this.length);
    this.length += to - from;
  }

  take(): Uint8Array {
    return this.length === this.buffer.length ? this.buffer : this.buffer.slice(0, this.length);
  }

  /** What was written, as a view that the next write may leave behind. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
