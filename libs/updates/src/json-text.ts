/** The JSON that formats mostly bear, seen without decoding: true, null, false, a plain ASCII string. */
export function isPlainJson(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length === 4) {
    const word = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!;
    if (word === 0x74727565 || word === 0x6e756c6c) return true;
  }
  if (length < 2 || bytes[from] !== 0x22 || bytes[to - 1] !== 0x22) return false;
  for (let i = from + 1; i < to - 1; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
  }
  return true;
}

/** Whether brackets outside strings nest deeper than `depthMax`. Whether it is JSON at all, the parser says. */
export function nestsDeeperThan(depthMax: number, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from <= depthMax) return false;
  let depth = 0;
  let inString = false;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > depthMax) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
}
