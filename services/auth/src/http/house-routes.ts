import type { Rights } from '@weft/grants';
import { ROLES } from '@weft/grants';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';

import { MalformedClaims, NAME_LENGTH_MAX, isText, parseRights } from '../claims.ts';
import type { AuthKeys } from '../keys/auth-keys.ts';
import { signToken } from '../token.ts';
import { badRequest } from './failure.ts';

export interface HouseRoutesDeps {
  readonly keys: AuthKeys;
  /** Whether anybody may sign in under any name: for a developer's own machine only. */
  readonly devSignIn: boolean;
  readonly tokenLifetimeMs: number;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** What there is whoever decides: public keys, and where it is switched on, the development sign-in (SPEC A9). */
export function houseRoutes(deps: HouseRoutesDeps): FastifyPluginAsync {
  return async (app) => {
    for (const url of ['/auth/keys', '/auth/.well-known/jwks.json']) {
      app.get(
        url,
        { schema: { summary: 'Public keys that tokens and grants are signed with, as a JWKS.', tags: ['keys'] } },
        (_request, reply) => reply.header('cache-control', 'public, max-age=300').send({ keys: deps.keys.publicKeys() }),
      );
    }
    if (deps.devSignIn) addDevSignIn(app, deps);
  };
}

interface DevSignIn {
  readonly name: string;
  readonly role?: (typeof ROLES)[number];
  readonly documents?: unknown;
}

const devSignInSchema = {
  summary: 'A token for anybody under any name. For development only.',
  tags: ['development'],
  body: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', maxLength: NAME_LENGTH_MAX }, role: { enum: ROLES }, documents: { type: 'object' } },
  },
} as const;

function addDevSignIn(app: FastifyInstance, { keys, tokenLifetimeMs, now }: HouseRoutesDeps): void {
  app.post<{ Body: DevSignIn }>('/auth/dev/sign-in', { schema: devSignInSchema }, async ({ body }) => {
    if (!isText(body.name, NAME_LENGTH_MAX)) throw badRequest(`name must be a text of 1 to ${NAME_LENGTH_MAX} characters`);
    const name = body.name.trim();
    const documents = body.documents === undefined ? { '*': body.role ?? 'editor' } : rightsOfBody(body.documents);
    const { token, expiresAtMs } = await signToken(keys.signing(), { sub: `dev:${name}`, name, documents }, now(), tokenLifetimeMs);
    return { token, expiresAt: new Date(expiresAtMs).toISOString() };
  });
}

/** @throws HttpRefusal */
export function rightsOfBody(documents: unknown): Rights {
  try {
    return parseRights(documents);
  } catch (error) {
    if (error instanceof MalformedClaims) throw badRequest('documents must be an object of document name or prefix* to role');
    throw error;
  }
}
