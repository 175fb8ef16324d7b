/**
 * A well-mixed 32-bit hash of a text's UTF-8 bytes: FNV-1a, then murmur3's finalizer. Where a document lives in the log depends on it: it must never change
 * (golden values in the test).
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return mix(hash);
}

/** murmur3's finalizer: every bit of the input moves every bit of the output. Gives 0 to 2^32 - 1. */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const encoder = new TextEncoder();
