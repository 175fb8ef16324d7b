/**
 * lib0's varUint (7 bits a byte, lowest first, high bit: more follow) over buffers whose size is known before writing: one allocation a record, and
 * a typed error where lib0 throws plain ones. Checked against lib0 in record-codec.test.ts.
 */

/** Bytes that `value` takes. `value` is an integer from 0 to 2^53 - 1. */
export function varUintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

export class Writer {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  get at(): number {
    return this.#at;
  }

  byte(value: number): void {
    this.bytes[this.#at++] = value;
  }

  varUint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      // Division, not a shift: numbers above 2^31 occur.
      this.bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.#at++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  /** varString and varUint8Array: the length in bytes, then the bytes. */
  lengthPrefixed(bytes: Uint8Array): void {
    this.varUint(bytes.byteLength);
    this.raw(bytes);
  }
}

/** Reads `bytes` from `at` to `end`; `fail` makes the error that is thrown at the first byte that cannot be. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #fail: (what: string, offset: number) => Error;
  #at: number;

  constructor(bytes: Uint8Array, at: number, end: number, fail: (what: string, offset: number) => Error) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#fail = fail;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  byte(what: string): number {
    const value = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (value === undefined) throw this.#fail(`${what}: the bytes end`, this.#at);
    this.#at += 1;
    return value;
  }

  varUint(what: string): number {
    const start = this.#at;
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte(what);
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw this.#fail(`${what}: a number above 2^53`, start);
      if (byte < 0x80) return value;
      // Eight bytes bear 56 bits. Without this a run of 0x80 would be read for ever as one zero.
      if (this.#at - start >= 8) throw this.#fail(`${what}: a number of more than 8 bytes`, start);
    }
  }

  /** A view, not a copy. */
  raw(length: number, what: string): Uint8Array {
    if (length > this.left) throw this.#fail(`${what}: ${length} bytes announced, ${this.left} are left`, this.#at);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Uint8Array {
    return this.raw(this.left, 'rest');
  }

  string(what: string): string {
    const start = this.#at;
    const bytes = this.raw(this.varUint(what), what);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.#fail(`${what}: not UTF-8`, start);
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
