import { InternedNames } from '@weft/protocol';

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

/** Bytes that `text` takes as UTF-8; half a surrogate pair becomes U+FFFD, as everywhere. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) bytes += unit > 0x7ff ? 2 : 1;
    // A pair, two units, takes four bytes: two more than its units were, of which this one has counted both.
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) i += 1;
  }
  return bytes;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

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

  /** varUint8Array: the length in bytes, then the bytes. */
  lengthPrefixed(bytes: Uint8Array): void {
    this.varUint(bytes.byteLength);
    this.raw(bytes);
  }

  /** varString. @param bytes as `utf8Bytes` tells them */
  string(text: string, bytes: number): void {
    this.varUint(bytes);
    if (bytes === text.length) for (let i = 0; i < bytes; i += 1) this.bytes[this.#at + i] = text.charCodeAt(i);
    else encoder.encodeInto(text, this.bytes.subarray(this.#at));
    this.#at += bytes;
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
    this.#skip(length, what);
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Uint8Array {
    return this.raw(this.left, 'rest');
  }

  string(what: string): string {
    const start = this.#at;
    const length = this.varUint(what);
    this.#skip(length, what);
    const name = names.at(this.#bytes, this.#at - length, this.#at);
    if (name === undefined) throw this.#fail(`${what}: not UTF-8`, start);
    return name;
  }

  #skip(length: number, what: string): void {
    if (length > this.left) throw this.#fail(`${what}: ${length} bytes announced, ${this.left} are left`, this.#at);
    this.#at += length;
  }
}

const encoder = new TextEncoder();
/** Documents and origins. */
const names = new InternedNames();
