/** Microseconds since the epoch, as nine characters: text that carries when it was to be typed. */
export const STAMP_LENGTH = 9;

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-';
const codes = Uint8Array.from(alphabet, (character) => character.codePointAt(0)!);
const values = new Int8Array(256).fill(-1);
for (const [value, code] of codes.entries()) values[code] = value;

const epochUs = performance.timeOrigin * 1000;

/** Now, microseconds since the epoch; of all processes of a machine about the same. */
export function nowUs(): number {
  return Math.floor(epochUs + performance.now() * 1000);
}

export function writeStamp(us: number, into: Uint8Array, at: number): void {
  let rest = Math.floor(us);
  for (let i = STAMP_LENGTH - 1; i >= 0; i--) {
    into[at + i] = codes[rest % 64]!;
    rest = Math.floor(rest / 64);
  }
}

/** Undefined: there is none. */
export function readStamp(from: Uint8Array, at: number): number | undefined {
  if (at + STAMP_LENGTH > from.byteLength) return undefined;
  let us = 0;
  for (let i = 0; i < STAMP_LENGTH; i++) {
    const value = values[from[at + i]!]!;
    if (value < 0) return undefined;
    us = us * 64 + value;
  }
  return us;
}

export function stampText(us: number): string {
  const bytes = new Uint8Array(STAMP_LENGTH);
  writeStamp(us, bytes, 0);
  return Buffer.from(bytes).toString('latin1');
}
