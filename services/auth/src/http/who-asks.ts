import type { IdentityStore } from '@weft/store';
import { ACCESS_COOKIE } from '@weft/protocol';
import type { FastifyRequest } from 'fastify';

import { AccountRefusal } from '../accounts/account-refusal.ts';
import { bearerOf } from '../accounts/bearer.ts';
import type { Asker } from '../accounts/document-rights.ts';
import type { VerifyingKeys } from '../signing-key.ts';

export interface WhoAsksDeps {
  readonly store: IdentityStore;
  readonly keys: () => VerifyingKeys;
  readonly now: () => number;
}

export interface Caller extends Asker {
  readonly admin: boolean;
}

export interface SignedInCaller extends Caller {
  readonly session: string;
}

/** The person behind a request, whose session lives and who is not disabled. @throws AccountRefusal or TokenError */
export async function whoAsks(request: FastifyRequest, deps: WhoAsksDeps): Promise<Caller> {
  const token = tokenOf(request);
  if (token === undefined) throw new AccountRefusal('signed-out', 'sign in first: an access token is needed');
  const nowMs = deps.now();
  const bearer = await bearerOf(token, deps, nowMs);
  if (bearer.kind === 'service') throw new AccountRefusal('forbidden', 'a service token is for documents only');
  // What narrows documents would be worth nothing if it could make itself a wider one.
  if (bearer.documents !== undefined) throw new AccountRefusal('forbidden', 'a token narrowed to documents is for these documents only');
  const { userId, session } = bearer;
  const standing = await deps.store.standingOf({ userId, sessionId: session, document: '' }, nowMs);
  if (standing === undefined || !standing.sessionLives || standing.disabled) throw new AccountRefusal('signed-out', 'sign in again');
  return { userId, session, admin: standing.admin, address: request.ip };
}

/** As above, and by a session: what concerns the account itself is not for tokens that lie about in programs. */
export async function whoSignedIn(request: FastifyRequest, deps: WhoAsksDeps): Promise<SignedInCaller> {
  const caller = await whoAsks(request, deps);
  const { session } = caller;
  if (session === undefined) throw new AccountRefusal('forbidden', 'a personal token cannot do this: sign in');
  return { ...caller, session };
}

export async function whoAdministers(request: FastifyRequest, deps: WhoAsksDeps): Promise<SignedInCaller> {
  const caller = await whoSignedIn(request, deps);
  if (!caller.admin) throw new AccountRefusal('forbidden', 'only an admin may do this');
  return caller;
}

function tokenOf({ headers, cookies }: FastifyRequest): string | undefined {
  if (headers.authorization === undefined) return cookies[ACCESS_COOKIE];
  return /^bearer +(\S+)$/i.exec(headers.authorization.trim())?.[1] ?? '';
}
