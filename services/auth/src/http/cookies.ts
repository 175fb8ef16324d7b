import { ACCESS_COOKIE } from '@weft/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { SignedIn } from '../accounts/accounts.ts';

/** Sent to auth alone. */
export const REFRESH_COOKIE = 'weft_refresh';
const REFRESH_PATH = '/auth';

/** HttpOnly: no script reads them. SameSite=Lax: other sites' pages send them with plain links only, which change nothing. Secure where the request came over TLS. */
const kept = ({ protocol }: FastifyRequest) => ({ httpOnly: true, sameSite: 'lax', secure: protocol === 'https' }) as const;

export function setSessionCookies(request: FastifyRequest, reply: FastifyReply, signedIn: SignedIn): void {
  const { accessToken, accessExpiresAtMs, refreshToken, refreshExpiresAtMs } = signedIn;
  reply.setCookie(ACCESS_COOKIE, accessToken, { ...kept(request), path: '/', expires: new Date(accessExpiresAtMs) });
  reply.setCookie(REFRESH_COOKIE, refreshToken, { ...kept(request), path: REFRESH_PATH, expires: new Date(refreshExpiresAtMs) });
}

export function clearSessionCookies(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(ACCESS_COOKIE, { ...kept(request), path: '/' });
  reply.clearCookie(REFRESH_COOKIE, { ...kept(request), path: REFRESH_PATH });
}
