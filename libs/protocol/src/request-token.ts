import { tokenInTarget } from './request-target.ts';

/** Where browsers keep the access token that auth gave them: HttpOnly, so a page cannot put it into a URL or a frame. */
export const ACCESS_COOKIE = 'weft_access';

/** What of a request says for whom it comes. Absent headers are empty. */
export interface RequestHead {
  /** As in the request line. */
  readonly target: string;
  readonly authorization: string;
  readonly cookie: string;
  readonly origin: string;
  /** With the port, as the client named it. */
  readonly host: string;
}

/**
 * The token a request comes with: `?token=`, else `Authorization: Bearer`, else the access cookie; empty for a guest. The edge's question to auth and the gateway use this one function, so that who is let
 * through for one token is not asked again for another (SPEC RT7).
 */
export function tokenOfRequest(head: RequestHead, origins: readonly string[] = []): string {
  return tokenInTarget(head.target) || bearerIn(head.authorization) || tokenInCookie(head, origins);
}

/**
 * A browser sends the cookie whichever page asks; only pages of this very host, or of an origin somebody listed, speak for the person (SPEC RT8). Programs send no Origin, and no cookie that
 * they did not choose to.
 */
function tokenInCookie({ cookie, origin, host }: RequestHead, origins: readonly string[]): string {
  const isOwnPage = origin === '' || origins.includes(origin) || hostOf(origin) === host.toLowerCase();
  return isOwnPage ? cookieNamed(ACCESS_COOKIE, cookie) : '';
}

function bearerIn(authorization: string): string {
  return /^bearer +(\S+)$/i.exec(authorization.trim())?.[1] ?? '';
}

function cookieNamed(name: string, header: string): string {
  for (const pair of header.split(';')) {
    const [key, ...value] = pair.split('=');
    if (key?.trim() === name) return value.join('=').trim();
  }
  return '';
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
