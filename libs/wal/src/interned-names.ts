/**
 * Names read lately, one a slot: the same few documents come again and again, and decoding a name costs more than the rest of its entry. Bounded: slots times the longest kept name.
 * Two names in one slot only cost the decoding.
 */
const slotsCount = 4_096;
const keptBytesMax = 300;

export class InternedNames {
  readonly #slots: ({ readonly bytes: Uint8Array; readonly name: string } | undefined)[] = Array.from({ length: slotsCount });

  /** The name that stands in `bytes` from `from` to `to`; undefined where that is no UTF-8. */
  at(bytes: Uint8Array, from: number, to: number): string | undefined {
    const slot = slotOf(bytes, from, to);
    const kept = this.#slots[slot];
    if (kept !== undefined && isEqual(kept.bytes, bytes, from, to)) return kept.name;
    const name = decoded(bytes.subarray(from, to));
    if (name !== undefined && to - from <= keptBytesMax) this.#slots[slot] = { bytes: bytes.slice(from, to), name };
    return name;
  }
}

/** FNV-1a. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return (hash >>> 0) % slotsCount;
}

function isEqual(kept: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (kept.length !== to - from) return false;
  for (let i = 0; i < kept.length; i += 1) if (kept[i] !== bytes[from + i]) return false;
  return true;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    // TextDecoder's error says no more than this.
    return undefined;
  }
}
