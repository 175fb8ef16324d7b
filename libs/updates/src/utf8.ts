/**
 * Length in UTF-16 units of the UTF-8 text in `bytes[from, to)`, or `-1 - offset` of the first byte that is not valid UTF-8.
 * As strict as `new TextDecoder('utf-8', { fatal: true })`, which Yjs decodes with (lib0/string.js): no overlong forms, no surrogates,
 * nothing above U+10FFFF. A Yjs text's clock counts UTF-16 units, so this is also the struct's length.
 */
export function utf16Length(bytes: Uint8Array, from: number, to: number): number {
  let units = 0;
  let pos = from;
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
