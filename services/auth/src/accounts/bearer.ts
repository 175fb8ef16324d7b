import { isRole } from '@weft/grants';
import type { Rights } from '@weft/grants';
import type { IdentityStore } from '@weft/store';

import type { VerifyingKeys } from '../signing-key.ts';
import { CLOCK_TOLERANCE_MS, TokenError, verifyToken } from '../token.ts';
import { PERSONAL_PREFIX, SERVICE_PREFIX, hashOfSecret } from './secrets.ts';

/** Whom a token speaks for, as far as the token says. Whether a session lives, and a person is not disabled, is asked with what they want to do. */
export type Bearer =
  | {
      readonly kind: 'person';
      readonly userId: string;
      /** undefined: a personal token, which belongs to no session. */
      readonly session: string | undefined;
      /** Narrows what the person may do; undefined: it does not. */
      readonly documents: Rights | undefined;
      readonly untilMs: number;
    }
  | {
      readonly kind: 'service';
      readonly id: string;
      readonly label: string;
      readonly documents: Rights;
      readonly untilMs: number;
    };

export interface BearerDeps {
  readonly store: Pick<IdentityStore, 'bearerOf'>;
  /** As they are now. */
  readonly keys: () => VerifyingKeys;
}

/** A token without an end: its allowance is asked again after this. */
const UNTIL_MS = 24 * 3_600_000;

/** What a service token's person is called to others: `service:` and its id is no id of a person. */
export function serviceUser(tokenId: string): string {
  return `service:${tokenId}`;
}

/** @throws TokenError for whatever proves nothing. */
export async function bearerOf(token: string, { store, keys }: BearerDeps, nowMs: number): Promise<Bearer> {
  const hash = hashOfSecret(token, PERSONAL_PREFIX, SERVICE_PREFIX);
  if (hash === undefined) return bearerOfAccessToken(token, keys(), nowMs);
  const found = await store.bearerOf(hash, nowMs);
  if (found === undefined || found.disabled) throw new TokenError('expired', 'token is not valid, or not any more');
  const untilMs = found.expiresAtMs ?? nowMs + UNTIL_MS;
  if (found.kind === 'personal') {
    const documents = found.documents === undefined ? undefined : rightsOf(found.documents);
    return { kind: 'person', userId: found.userId, session: undefined, documents, untilMs };
  }
  return { kind: 'service', id: serviceUser(found.id), label: found.label, documents: rightsOf(found.documents ?? {}), untilMs };
}

async function bearerOfAccessToken(token: string, keys: VerifyingKeys, nowMs: number): Promise<Bearer> {
  const { sub, session, documents, expiresAtMs } = await verifyToken(token, keys, nowMs);
  // One of ours without a session could not be ended by signing out.
  if (session === undefined) throw new TokenError('missing-claim', 'token lacks the claim sid');
  return { kind: 'person', userId: sub, session, documents, untilMs: expiresAtMs + CLOCK_TOLERANCE_MS };
}

/** What is not a role any more gives nothing. */
function rightsOf(documents: Readonly<Record<string, string>>): Rights {
  return Object.fromEntries(Object.entries(documents).flatMap(([pattern, role]) => (isRole(role) ? [[pattern, role]] : [])));
}
