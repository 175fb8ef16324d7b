import { InternedNames } from './interned-names.ts';

/** Documents, peers, logs: the same ones come again and again. */
const names = new InternedNames();
const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads lib0's encodings (varUint, varString, varUint8Array) and refuses what is not: `refuse` gets a sentence and throws the caller's typed error.
 * Byte strings are views into `bytes`, not copies.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  pos = 0;
  private readonly refuse: (detail: string) => never;

  constructor(bytes: Uint8Array, refuse: (detail: string) => never) {
    this.bytes = bytes;
    this.refuse = refuse;
  }

  get hasMore(): boolean {
    return this.pos < this.bytes.length;
  }

  byte(what: string): number {
    if (!this.hasMore) this.refuse(`it ends where ${what} is expected`);
    return this.bytes[this.pos++]!;
  }

  varUint(what: string): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte(what);
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER || factor > 2 ** 53) this.refuse(`${what} is above 2^53`);
      if (byte < 0x80) return value;
      factor *= 128;
    }
  }

  /** The next `length` bytes, as a view. */
  view(length: number, what: string): Uint8Array {
    const from = this.pos;
    this.skip(length, what);
    return this.bytes.subarray(from, this.pos);
  }

  private skip(length: number, what: string): void {
    const left = this.bytes.length - this.pos;
    if (length > left) this.refuse(`${what} announces ${length} bytes, ${left} follow`);
    this.pos += length;
  }

  varBytes(what: string): Uint8Array {
    return this.view(this.varUint(what), what);
  }

  /** A varString of which the same few come again and again. */
  name(what: string): string {
    const length = this.varUint(what);
    this.skip(length, what);
    return names.at(this.bytes, this.pos - length, this.pos) ?? this.refuse(`${what} is not UTF-8`);
  }

  varString(what: string): string {
    return this.text(this.varBytes(what), what);
  }

  /** What was read as `bytes`, as text. */
  text(bytes: Uint8Array, what: string): string {
    try {
      return fatalUtf8.decode(bytes);
    } catch {
      // TextDecoder's error says no more than this.
      return this.refuse(`${what} is not UTF-8`);
    }
  }

  end(): void {
    const left = this.bytes.length - this.pos;
    if (left > 0) this.refuse(`${left} bytes follow after its end`);
  }
}
