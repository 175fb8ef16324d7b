import { isRole } from '@weft/grants';
import type { Rights, Role } from '@weft/grants';

/** What a token says of its bearer. */
export interface Claims {
  readonly sub: string;
  readonly name: string;
  /** undefined: the token says nothing of documents. */
  readonly documents: Rights | undefined;
  /** Whose end ends the token. */
  readonly session: string | undefined;
  readonly expiresAtMs: number;
}

/** The message names the claim and never quotes it. */
export class MalformedClaims extends Error {
  override readonly name = 'MalformedClaims';
}

/** Characters: both travel with every allowance and reach other people's screens. */
const SUB_LENGTH_MAX = 255;
export const NAME_LENGTH_MAX = 100;

/** Payload of a token whose signature, `exp` and `sub` were checked. @throws MalformedClaims */
export function parseClaims(payload: Readonly<Record<string, unknown>>): Claims {
  const { sub, name, documents, sid, exp } = payload;
  if (!isText(sub, SUB_LENGTH_MAX)) throw new MalformedClaims('token has a wrong claim sub');
  if (name !== undefined && !isText(name, NAME_LENGTH_MAX)) throw new MalformedClaims('token has a wrong claim name');
  if (sid !== undefined && !isText(sid, SUB_LENGTH_MAX)) throw new MalformedClaims('token has a wrong claim sid');
  if (typeof exp !== 'number') throw new MalformedClaims('token has a wrong claim exp');
  const rights = documents === undefined ? undefined : parseRights(documents);
  return { sub, name: name ?? sub.slice(0, NAME_LENGTH_MAX), documents: rights, session: sid, expiresAtMs: exp * 1000 };
}

/** `{ pattern: role }`. @throws MalformedClaims */
export function parseRights(documents: unknown): Rights {
  if (typeof documents !== 'object' || documents === null || Array.isArray(documents)) {
    throw new MalformedClaims('token has a wrong claim documents');
  }
  const rights: [string, Role][] = [];
  for (const [pattern, role] of Object.entries(documents)) {
    if (pattern === '' || !isRole(role)) throw new MalformedClaims('token has a wrong claim documents');
    rights.push([pattern, role]);
  }
  return Object.fromEntries(rights);
}

export function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value.length <= lengthMax && value.trim() !== '';
}
