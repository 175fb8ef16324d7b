/** Numbers from here on take four bytes as a varUint, up to `patchedMax`: one takes another's place, and a message need not be made anew. */
export const patchedMin = 2 ** 21;
const patchedMax = 2 ** 28 - 1;

/** A message that bears a number which grows from one to the next. `encode` is asked twice, to find where it stands. */
export class Patched {
  readonly bytes: Uint8Array;
  readonly #at: number;
  #number = patchedMin;

  constructor(encode: (number: number) => Uint8Array) {
    this.bytes = encode(patchedMin).slice();
    const other = encode(patchedMin + 1);
    this.#at = this.bytes.findIndex((byte, i) => byte !== other[i]);
    if (this.#at < 0) throw new Error('the message does not bear the number');
  }

  /** With the next number: the first is `patchedMin` + 1. The same bytes each time. */
  next(): Uint8Array {
    this.#number = this.#number === patchedMax ? patchedMin : this.#number + 1;
    const { bytes } = this;
    bytes[this.#at] = (this.#number & 0x7f) | 0x80;
    bytes[this.#at + 1] = ((this.#number >>> 7) & 0x7f) | 0x80;
    bytes[this.#at + 2] = ((this.#number >>> 14) & 0x7f) | 0x80;
    bytes[this.#at + 3] = this.#number >>> 21;
    return bytes;
  }
}
