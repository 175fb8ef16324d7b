/** Writes what lib0 calls varUint, varString and varUint8Array, into one growing buffer. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  reset(): this {
    this.#length = 0;
    return this;
  }

  /** Valid until the next `reset`. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): this {
    this.#room(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  uint(value: number): this {
    this.#room(8);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
    return this;
  }

  sized(bytes: Uint8Array): this {
    return this.uint(bytes.byteLength).raw(bytes);
  }

  string(text: string): this {
    const bytes = Buffer.byteLength(text);
    this.uint(bytes).#room(bytes);
    this.#length += this.#bytes.write(text, this.#length);
    return this;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.byteLength) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, 2 * this.#bytes.byteLength));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** A place in bytes that moves on as they are read. RangeError: it ended early. */
export class Cursor {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.byteLength;
  }

  byte(): number {
    if (this.at >= this.bytes.byteLength) throw new RangeError('the frame ends early');
    return this.bytes[this.at++]!;
  }

  uint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  }

  /** Steps over `bytes` of them. */
  skip(bytes: number): void {
    this.at += bytes;
  }

  string(): string {
    const bytes = this.uint();
    const text = Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.at,
      Math.min(bytes, this.bytes.byteLength - this.at),
    ).toString();
    this.at += bytes;
    return text;
  }
}
