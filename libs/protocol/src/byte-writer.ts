/** Below it a loop over the characters is faster than the call to TextEncoder. */
const shortText = 100;
const firstBytes = 64 * 1024;
/** A larger buffer is let go once what needed it is written: one huge message must not be held for ever. */
const keptBytesMax = 4 * 1024 * 1024;

const utf8 = new TextEncoder();

/**
 * Writes lib0's encodings (varUint, varString, varUint8Array) over one buffer that is used again: nothing is allocated but the view that `written` gives.
 * That view is good until the next `begin`.
 */
export class ByteWriter {
  #bytes = new Uint8Array(firstBytes);
  #at = 0;

  begin(): this {
    if (this.#bytes.length > keptBytesMax) this.#bytes = new Uint8Array(firstBytes);
    this.#at = 0;
    return this;
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#at++] = value;
  }

  /** @param value an integer from 0 to 2^53 - 1 */
  varUint(value: number): void {
    this.#makeRoom(varUintBytesMax);
    this.#at = writeVarUint(this.#bytes, this.#at, value);
  }

  varBytes(bytes: Uint8Array): void {
    this.#makeRoom(varUintBytesMax + bytes.length);
    this.#at = writeVarUint(this.#bytes, this.#at, bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  raw(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Half a surrogate pair becomes U+FFFD, as everywhere. */
  varString(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    this.#makeRoom(varUintBytesMax + 3 * text.length);
    if (text.length > shortText || !this.#ascii(text)) this.#unicode(text);
  }

  /** False, and nothing is written: there is more in it than ASCII. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[start + i] = unit;
    }
    bytes[this.#at] = text.length;
    this.#at = start + text.length;
    return true;
  }

  #unicode(text: string): void {
    // Right for ASCII; where the bytes are more and their number takes more, they are moved.
    const guess = varUintBytes(text.length);
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(this.#at + guess));
    const lengthBytes = varUintBytes(written);
    if (lengthBytes > guess) this.#bytes.copyWithin(this.#at + lengthBytes, this.#at + guess, this.#at + guess + written);
    this.#at = writeVarUint(this.#bytes, this.#at, written) + written;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

const varUintBytesMax = 8;

/** Bytes that `value`, an integer from 0 to 2^53 - 1, takes as a varUint. */
export function varUintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Gives the place after it. There must be room. */
export function writeVarUint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    // Division, not a shift: numbers above 2^31 occur.
    bytes[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[end++] = rest;
  return end;
}
