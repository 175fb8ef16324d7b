/** The HTTP side as one plain function: bytes in, bytes out; the gateway (standalone) or node:http (cluster) carries it. */
import type { Rights } from '@weft/grants';
import { isRole } from '@weft/grants';

import { MalformedClaims, NAME_LENGTH_MAX, isText, parseRights } from './claims.ts';
import type { AuthKeys } from './keys/auth-keys.ts';
import { signToken } from './token.ts';

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface AuthHttpDeps {
  readonly keys: AuthKeys;
  /** Whether anybody may sign in under any name: for a developer's own machine only. */
  readonly devSignIn: boolean;
  readonly tokenLifetimeMs: number;
  /** Ms since the epoch. */
  readonly now: () => number;
}

export const BODY_BYTES_MAX = 16 * 1024;

/** Carries a refusal from where it is found to where it is written. */
class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Answers `/auth/*` (SPEC A9). Rejects only for what cannot be. */
export async function handleAuthHttp(request: HttpRequest, deps: AuthHttpDeps): Promise<HttpResponse> {
  try {
    return await route(request, deps);
  } catch (error) {
    if (error instanceof HttpRefusal) return json(error.status, { error: { code: error.code, message: error.message } });
    throw error;
  }
}

async function route(request: HttpRequest, deps: AuthHttpDeps): Promise<HttpResponse> {
  switch (request.path) {
    case '/auth/keys':
      allowOnly(request, 'GET');
      return json(200, { keys: deps.keys.publicKeys() }, { 'cache-control': 'public, max-age=300' });
    case '/auth/dev/sign-in':
      if (!deps.devSignIn) break;
      allowOnly(request, 'POST');
      return signIn(request, deps);
  }
  throw new HttpRefusal(404, 'not-found', 'there is nothing at this path');
}

async function signIn(request: HttpRequest, { keys, tokenLifetimeMs, now }: AuthHttpDeps): Promise<HttpResponse> {
  const { name, documents } = parseSignIn(request);
  const { token, expiresAtMs } = await signToken(keys.signing(), { sub: `dev:${name}`, name, documents }, now(), tokenLifetimeMs);
  return json(200, { token, expiresAt: new Date(expiresAtMs).toISOString() });
}

function parseSignIn(request: HttpRequest): { name: string; documents: Rights } {
  const body = parseJsonBody(request);
  const { name, role = 'editor', documents } = body;
  if (!isText(name, NAME_LENGTH_MAX)) throw badRequest(`name must be a text of 1 to ${NAME_LENGTH_MAX} characters`);
  if (!isRole(role)) throw badRequest('role must be owner, editor, commenter or viewer');
  return { name: name.trim(), documents: documents === undefined ? { '*': role } : parseRightsOfBody(documents) };
}

function parseRightsOfBody(documents: unknown): Rights {
  try {
    return parseRights(documents);
  } catch (error) {
    if (error instanceof MalformedClaims) throw badRequest('documents must be an object of document name or prefix* to role');
    throw error;
  }
}

function parseJsonBody({ headers, body }: HttpRequest): Record<string, unknown> {
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new HttpRefusal(415, 'unsupported-media-type', 'the body must be application/json');
  }
  if (body.length > BODY_BYTES_MAX) throw new HttpRefusal(413, 'body-too-large', `the body must not exceed ${BODY_BYTES_MAX} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw badRequest('the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('the body must be a JSON object');
  return value as Record<string, unknown>;
}

function allowOnly(request: HttpRequest, method: string): void {
  if (request.method !== method) throw new HttpRefusal(405, 'method-not-allowed', `only ${method} is answered here`);
}

function badRequest(message: string): HttpRefusal {
  return new HttpRefusal(400, 'bad-request', message);
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): HttpResponse {
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
    body: new TextEncoder().encode(`${JSON.stringify(value)}\n`),
  };
}
