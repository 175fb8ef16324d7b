/**
 * Length in UTF-16 units of the UTF-8 text in `bytes[from, to)`, or `-1 - offset` of the first byte that is not valid UTF-8.
 * As strict as `new TextDecoder('utf-8', { fatal: true })`, which Yjs decodes with (lib0/string.js): no overlong forms, no surrogates,
 * nothing above U+10FFFF. A Yjs text's clock counts UTF-16 units, so this is also the struct's length.
 */
export function utf16Length(bytes: Uint8Array, from: number, to: number): number {
  return to - from < WORDS_FROM_BYTES ? lengthByBytes(bytes, from, to) : lengthByWords(bytes, from, to);
}

/** Below it the view that reads words costs more than it saves. Arrays this long have their bytes off the heap already. */
const WORDS_FROM_BYTES = 160;

function lengthByBytes(bytes: Uint8Array, from: number, to: number): number {
  let pos = from;
  // Most words are ASCII from the start: a document of 10 MB may be hundreds of thousands of them.
  while (pos <= to - 4 && (bytes[pos]! | bytes[pos + 1]! | bytes[pos + 2]! | bytes[pos + 3]!) < 0x80) pos += 4;
  let units = pos - from;
  while (pos < to) {
    const lead = bytes[pos]!;
    if (lead < 0x80) {
      pos += 1;
      units += 1;
      continue;
    }
    const width = sequenceWidth(bytes, pos, to);
    if (width === 0) return -1 - pos;
    pos += width;
    units += width === 4 ? 2 : 1;
  }
  return units;
}

/**
 * The same four bytes at a time, little end first, the lead byte in the low eight bits: a document of 10 MB must not stall its thread.
 * 12 times as fast for ASCII, 2 to 4 times for other text.
 */
function lengthByWords(bytes: Uint8Array, from: number, to: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, to);
  let units = 0;
  let pos = from;
  while (pos <= to - 16) {
    const word = view.getInt32(pos, true);
    const high = word & 0x80808080;
    if (high === 0) {
      const more = view.getInt32(pos + 4, true) | view.getInt32(pos + 8, true) | view.getInt32(pos + 12, true);
      const ascii = (more & 0x80808080) === 0 ? 16 : 4;
      pos += ascii;
      units += ascii;
    } else if ((word & 0x80) === 0) {
      // One to three ASCII bytes before the lowest high bit.
      const ascii = (31 - Math.clz32(high & -high)) >> 3;
      pos += ascii;
      units += ascii;
    } else if ((word & 0xc0e0c0e0) === TWO_OF_TWO_BYTES && (word & 0x1e) !== 0 && (word & 0x1e0000) !== 0) {
      pos += 4;
      units += 2;
    } else {
      const width = wordSequenceWidth(word);
      if (width === 0) return -1 - pos;
      pos += width;
      units += width === 4 ? 2 : 1;
    }
  }
  const rest = lengthByBytes(bytes, pos, to);
  return rest < 0 ? rest : units + rest;
}

/** Bytes of the non-ASCII character that starts in the low eight bits of `word`; 0 if it is not valid. As `sequenceWidth`. */
function wordSequenceWidth(word: number): number {
  if ((word & 0xc0e0) === 0x80c0) return (word & 0x1e) === 0 ? 0 : 2;
  if ((word & 0xc0c0f0) === 0x8080e0) {
    // The low four bits of the lead and the top bit of the second: overlong (E0 80..9F), a surrogate (ED A0..BF).
    const top = word & 0x200f;
    return top === 0 || top === 0x200d ? 0 : 3;
  }
  if ((word & 0xc0c0c0f8) === FOUR_BYTES) {
    // The low three bits of the lead and two of the second: overlong (F0 80..8F), above U+10FFFF (F4 90.., F5..).
    const top = word & 0x3007;
    return top === 0 || (top & 7) > 4 || ((top & 4) !== 0 && top !== 4) ? 0 : 4;
  }
  return 0;
}

/** As signed words, which `&` gives. */
const TWO_OF_TWO_BYTES = 0x80c080c0 | 0;
const FOUR_BYTES = 0x808080f0 | 0;

/** Bytes of the non-ASCII character at `pos`; 0 if it is not valid. */
function sequenceWidth(bytes: Uint8Array, pos: number, to: number): number {
  const lead = bytes[pos]!;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (pos + width > to) return 0;
  const second = bytes[pos + 1]!;
  // The second byte's range shuts out overlong forms (E0, F0), surrogates (ED) and what is above U+10FFFF (F4).
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < width; i++) {
    if ((bytes[pos + i]! & 0xc0) !== 0x80) return 0;
  }
  return width;
}

/** Offset of the byte after `units` UTF-16 units from `from`, in valid UTF-8. -1 if that falls inside a surrogate pair. */
export function offsetAfterUnits(bytes: Uint8Array, from: number, units: number): number {
  let pos = from;
  let left = units;
  while (left > 0) {
    const lead = bytes[pos]!;
    if (lead < 0x80) {
      pos += 1;
      left -= 1;
    } else {
      const width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      pos += width;
      left -= width === 4 ? 2 : 1;
    }
  }
  return left < 0 ? -1 : pos;
}

/** The last start of a character at or before `pos` (not before `from`), in valid UTF-8. */
export function characterStart(bytes: Uint8Array, from: number, pos: number): number {
  let start = pos;
  while (start > from && (bytes[start]! & 0xc0) === 0x80) start -= 1;
  return start;
}
