/** Secrets that people and programs carry: random, and kept here as SHA-256 only. 256 random bits need no slow hash. */
import { createHash } from 'node:crypto';

export const PERSONAL_PREFIX = 'weft_p_';
export const SERVICE_PREFIX = 'weft_s_';
export const REFRESH_PREFIX = 'weft_r_';

const SECRET_BYTES = 32;
/** Characters of any of them: prefix and 32 bytes as base64url. */
const SECRET = /^weft_[prs]_[A-Za-z0-9_-]{43}$/;

export interface Secret {
  /** Shown once. */
  readonly text: string;
  readonly hash: Uint8Array;
}

export function newSecret(prefix: string): Secret {
  const text = prefix + Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString('base64url');
  return { text, hash: sha256(text) };
}

/** undefined: no secret of that kind looks so. */
export function hashOfSecret(text: string, ...prefixes: readonly string[]): Uint8Array | undefined {
  return SECRET.test(text) && prefixes.some((prefix) => text.startsWith(prefix)) ? sha256(text) : undefined;
}

/** Not by WebCrypto, whose threads hash passwords. */
function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
