import { ACCESS_COOKIE } from '@weft/protocol';
import type { FastifyRequest } from 'fastify';

import { REFRESH_COOKIE } from './cookies.ts';
import { HttpRefusal } from './failure.ts';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser adds cookies whichever page asks. What writes and is believed for its cookies must say that a page of this very host, or of a listed
 * origin, asks: every browser says so for a write (SPEC H3). @throws HttpRefusal
 */
export function refuseForeignPages(request: FastifyRequest, origins: readonly string[]): void {
  if (READS.has(request.method) || request.headers.authorization !== undefined) return;
  const { cookies } = request;
  if (cookies[ACCESS_COOKIE] === undefined && cookies[REFRESH_COOKIE] === undefined) return;
  if (!isOwnPage(request, origins)) throw foreignPage();
}

/** For who is about to be given cookies: a foreign page must not sign somebody in under its own account. A program sends no Origin. @throws HttpRefusal */
export function refuseForeignSignIn(request: FastifyRequest, origins: readonly string[]): void {
  if (request.headers.origin !== undefined && !isOwnPage(request, origins)) throw foreignPage();
}

/** `Host` as the browser named it; not `X-Forwarded-Host`, which a proxy may pass on from anybody. */
function isOwnPage({ headers }: FastifyRequest, origins: readonly string[]): boolean {
  const { origin, host = '' } = headers;
  if (origin === undefined) return false;
  return origins.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase());
}

function foreignPage(): HttpRefusal {
  return new HttpRefusal(403, 'wrong-origin', 'a page of another origin cannot do this: the operator lists origins in WEFT_ORIGINS');
}
