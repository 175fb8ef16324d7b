/** Above it the parser is faster than this, strings above all. It bounds the recursion, too. */
const shortBytesMax = 1_000;

/** Whether the whole of `bytes`, which is UTF-8, is JSON, without building what it says. True is certain; false may only mean that it is too long: ask `JSON.parse`. */
export function isShortJson(bytes: Uint8Array): boolean {
  if (bytes.length > shortBytesMax) return false;
  const end = valueEnd(bytes, blanksEnd(bytes, 0));
  return end !== broken && blanksEnd(bytes, end) === bytes.length;
}

/** Where a value would end that is none. */
const broken = -1;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const TRUE = [0x74, 0x72, 0x75, 0x65];
const FALSE = [0x66, 0x61, 0x6c, 0x73, 0x65];
const NULL = [0x6e, 0x75, 0x6c, 0x6c];

function blanksEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB) break;
  }
  return at;
}

function valueEnd(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return stringEnd(bytes, at);
    case OPEN_OBJECT:
      return objectEnd(bytes, at);
    case OPEN_LIST:
      return listEnd(bytes, at);
    case TRUE[0]:
      return wordEnd(bytes, at, TRUE);
    case FALSE[0]:
      return wordEnd(bytes, at, FALSE);
    case NULL[0]:
      return wordEnd(bytes, at, NULL);
    default:
      return numberEnd(bytes, at);
  }
}

function objectEnd(bytes: Uint8Array, from: number): number {
  let at = blanksEnd(bytes, from + 1);
  if (bytes[at] === CLOSE_OBJECT) return at + 1;
  for (;;) {
    at = stringEnd(bytes, at);
    if (at === broken) return broken;
    at = blanksEnd(bytes, at);
    if (bytes[at] !== COLON) return broken;
    at = valueEnd(bytes, blanksEnd(bytes, at + 1));
    if (at === broken) return broken;
    at = blanksEnd(bytes, at);
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) return broken;
    at = blanksEnd(bytes, at + 1);
  }
}

function listEnd(bytes: Uint8Array, from: number): number {
  let at = blanksEnd(bytes, from + 1);
  if (bytes[at] === CLOSE_LIST) return at + 1;
  for (;;) {
    at = valueEnd(bytes, at);
    if (at === broken) return broken;
    at = blanksEnd(bytes, at);
    if (bytes[at] === CLOSE_LIST) return at + 1;
    if (bytes[at] !== COMMA) return broken;
    at = blanksEnd(bytes, at + 1);
  }
}

function stringEnd(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== QUOTE) return broken;
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte < SPACE) return broken;
    if (byte !== BACKSLASH) continue;
    at = escapeEnd(bytes, at) - 1;
    if (at < 0) return broken;
  }
  return broken;
}

/** After the backslash at `from` and what belongs to it. */
function escapeEnd(bytes: Uint8Array, from: number): number {
  switch (bytes[from + 1]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return from + 2;
    case 0x75: // u and four hexadecimal digits
      for (let at = from + 2; at < from + 6; at++) if (!isHexDigit(bytes[at])) return broken;
      return from + 6;
    default:
      return broken;
  }
}

/** Past the end of the bytes is no digit either. */
function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (byte >= ZERO && byte <= NINE) || (letter >= 0x61 && letter <= 0x66);
}

function wordEnd(bytes: Uint8Array, from: number, word: readonly number[]): number {
  for (let i = 1; i < word.length; i++) if (bytes[from + i] !== word[i]) return broken;
  return from + word.length;
}

function numberEnd(bytes: Uint8Array, from: number): number {
  const whole = bytes[from] === MINUS ? from + 1 : from;
  let at = digitsEnd(bytes, whole);
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return broken;
  if (bytes[at] === DOT) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction);
    if (at === fraction) return broken;
  }
  // e or E
  if (at < bytes.length && (bytes[at]! | 0x20) === 0x65) {
    const sign = bytes[at + 1];
    const exponent = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
    at = digitsEnd(bytes, exponent);
    if (at === exponent) return broken;
  }
  return at;
}

function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at;
}
