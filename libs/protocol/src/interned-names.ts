const slotsCount = 16_384;
const keptBytesMax = 300;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * ASCII names read lately, one a slot: the same documents come again and again, and decoding a name costs more than the rest of what bears it. Bounded: slots times the longest kept name.
 * Two names in one slot only cost the decoding.
 */
export class InternedNames {
  readonly #slots: string[] = Array.from({ length: slotsCount }, () => '');

  /** The name that stands in `bytes` from `from` to `to`; undefined where that is no UTF-8. */
  at(bytes: Uint8Array, from: number, to: number): string | undefined {
    const slot = slotOf(bytes, from, to);
    const kept = this.#slots[slot]!;
    if (isIn(kept, bytes, from, to)) return kept;
    const name = decoded(bytes.subarray(from, to));
    // As many units as bytes: all of it is ASCII, and may be compared unit by byte.
    if (name?.length === to - from && name.length <= keptBytesMax) this.#slots[slot] = name;
    return name;
  }
}

/** FNV-1a. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return (hash >>> 0) % slotsCount;
}

function isIn(name: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i += 1) if (name.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    // TextDecoder's error says no more than this.
    return undefined;
  }
}
