import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { IdentityStore } from '@weft/store';

import { AccountRefusal } from '../accounts/account-refusal.ts';
import type { AccountRefusalCode } from '../accounts/account-refusal.ts';
import type { Accounts, NewAccount, SignedIn } from '../accounts/accounts.ts';
import { PASSWORD_BYTES_MAX } from '../accounts/passwords.ts';
import { REFRESH_COOKIE, clearSessionCookies, setSessionCookies } from './cookies.ts';
import { refuseForeignSignIn } from './own-page.ts';
import { whoSignedIn } from './who-asks.ts';
import type { WhoAsksDeps } from './who-asks.ts';

export interface AccountRoutesDeps extends WhoAsksDeps {
  readonly store: IdentityStore;
  readonly accounts: Accounts;
  readonly origins: readonly string[];
}

/** Whether the refresh token goes into a cookie (browsers) or into the answer (programs). */
interface Where {
  readonly cookies?: boolean;
}

const tags = ['account'];
const text = (lengthMax: number) => ({ type: 'string', minLength: 1, maxLength: lengthMax }) as const;
const password = text(PASSWORD_BYTES_MAX);
const cookies = { type: 'boolean', description: 'Put the tokens into HttpOnly cookies: for browsers.' } as const;
const bodyOf = (properties: object, ...required: string[]) => ({ type: 'object', properties, required }) as const;

const schemas = {
  signUp: {
    summary: 'Make an account, and sign in to it.',
    tags,
    body: bodyOf({ userName: text(100), email: text(300), password, cookies }, 'userName', 'password'),
  },
  signIn: {
    summary: 'Sign in with user name or e-mail address.',
    tags,
    body: bodyOf({ account: text(300), password, cookies }, 'account', 'password'),
  },
  refresh: {
    summary:
      'A new access token for a refresh token, which is replaced: from the body, else from its cookie. 429: too many of your address were worth nothing, as this one is.',
    tags,
    body: { type: ['object', 'null'], properties: { refreshToken: text(100) } },
  },
  signOut: {
    summary: 'End this session; it may also be named by its refresh token.',
    tags,
    body: { type: ['object', 'null'], properties: { refreshToken: text(100) } },
  },
  signOutEverywhere: { summary: 'End all sessions of the person.', tags },
  me: { summary: 'Who is signed in.', tags },
  password: {
    summary: 'A new password; all other sessions end.',
    tags,
    body: bodyOf({ from: password, to: password, cookies }, 'from', 'to'),
  },
} as const;

/** What a refresh token is refused with that is worth nothing: others are not counted (SPEC AC16). */
const WORTHLESS: ReadonlySet<AccountRefusalCode> = new Set(['signed-out', 'too-many-attempts']);

/** Sign up, in, on and out (SPEC AC1–AC8, AC16, H1–H4). */
export function accountRoutes(deps: AccountRoutesDeps): FastifyPluginAsync {
  const { accounts, origins } = deps;
  return async (app) => {
    app.post<{ Body: NewAccount & Where }>('/auth/sign-up', { schema: schemas.signUp }, async (request, reply) => {
      refuseForeignSignIn(request, origins);
      return answer(request, reply.code(201), await accounts.signUp(request.body, request.ip), request.body);
    });

    app.post<{ Body: { account: string; password: string } & Where }>(
      '/auth/sign-in',
      { schema: schemas.signIn },
      async (request, reply) => {
        refuseForeignSignIn(request, origins);
        return answer(request, reply, await accounts.signIn(request.body, request.ip), request.body);
      },
    );

    app.post('/auth/refresh', { schema: schemas.refresh }, async (request, reply) => {
      const given = refreshTokenOf(request);
      const signedIn = await accounts.refresh(given.token, request.ip).catch((error: unknown) => {
        // A cookie that is worth nothing would be brought again and again.
        if (given.fromCookie && error instanceof AccountRefusal && WORTHLESS.has(error.code)) clearSessionCookies(request, reply);
        throw error;
      });
      return answer(request, reply, signedIn, { cookies: given.fromCookie });
    });

    app.post('/auth/sign-out', { schema: schemas.signOut }, async (request, reply) => {
      const { userId, session } = await sessionToEnd(request, deps);
      await accounts.signOut(userId, session, request.ip);
      clearSessionCookies(request, reply);
      return reply.code(204).send();
    });

    app.post('/auth/sign-out-everywhere', { schema: schemas.signOutEverywhere }, async (request, reply) => {
      const { userId } = await whoSignedIn(request, deps);
      await accounts.signOutEverywhere(userId, request.ip);
      clearSessionCookies(request, reply);
      return reply.code(204).send();
    });

    app.put<{ Body: { from: string; to: string } & Where }>('/auth/me/password', { schema: schemas.password }, async (request, reply) => {
      const { userId } = await whoSignedIn(request, deps);
      return answer(request, reply, await accounts.changePassword(userId, request.body, request.ip), request.body);
    });

    app.get('/auth/me', { schema: schemas.me }, async (request) => {
      const { userId, session } = await whoSignedIn(request, deps);
      const user = await deps.store.findUser(userId);
      return { user: user && userJson(user), session };
    });
  };
}

function answer(request: FastifyRequest, reply: FastifyReply, signedIn: SignedIn, { cookies: inCookies = false }: Where): FastifyReply {
  if (inCookies) setSessionCookies(request, reply, signedIn);
  const { user, accessToken, accessExpiresAtMs, refreshToken, refreshExpiresAtMs } = signedIn;
  return reply.send({
    user: userJson(user),
    accessToken,
    accessExpiresAt: new Date(accessExpiresAtMs).toISOString(),
    ...(inCookies ? {} : { refreshToken }),
    refreshExpiresAt: new Date(refreshExpiresAtMs).toISOString(),
  });
}

function userJson({ id, name, email, admin }: SignedIn['user']) {
  return { id, name, email, admin };
}

function refreshTokenOf({ body, cookies: sent }: FastifyRequest): { readonly token: string; readonly fromCookie: boolean } {
  const token = (body as { refreshToken?: string } | null | undefined)?.refreshToken;
  return token === undefined ? { token: sent[REFRESH_COOKIE] ?? '', fromCookie: true } : { token, fromCookie: false };
}

/** By the access token in `Authorization`, else by the refresh token, which is used up for it: an access token may have expired by then. */
async function sessionToEnd(request: FastifyRequest, deps: AccountRoutesDeps): Promise<{ userId: string; session: string }> {
  const { token, fromCookie } = refreshTokenOf(request);
  if (token === '' || (fromCookie && request.headers.authorization !== undefined)) return whoSignedIn(request, deps);
  const { user, sessionId } = await deps.accounts.refresh(token, request.ip);
  return { userId: user.id, session: sessionId };
}
