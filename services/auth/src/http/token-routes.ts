import type { FastifyPluginAsync } from 'fastify';
import type { ProgramToken } from '@weft/store';

import type { ProgramTokens } from '../accounts/program-tokens.ts';
import { rightsOfBody } from './house-routes.ts';
import { badRequest } from './failure.ts';
import { whoSignedIn } from './who-asks.ts';
import type { WhoAsksDeps } from './who-asks.ts';

export interface TokenRoutesDeps extends WhoAsksDeps {
  readonly tokens: ProgramTokens;
}

interface NewToken {
  readonly kind?: 'personal' | 'service';
  readonly label: string;
  readonly documents?: unknown;
  readonly expiresInDays?: number;
}

const tags = ['tokens for programs'];
const DAY_MS = 86_400_000;
const schemas = {
  list: { summary: 'Your tokens for programs, without their secrets.', tags },
  make: {
    summary: 'A token for a program. Its secret is in this answer and nowhere else.',
    tags,
    body: {
      type: 'object',
      required: ['label'],
      properties: {
        kind: { enum: ['personal', 'service'] },
        label: { type: 'string', minLength: 1, maxLength: 100 },
        documents: { type: 'object', description: 'Document name or prefix* to role. A personal token without it may do what you may.' },
        expiresInDays: { type: 'integer', minimum: 1, maximum: 3650 },
      },
    },
  },
  end: {
    summary: 'End a token.',
    tags,
    params: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } },
  },
} as const;

/** SPEC AC10. */
export function tokenRoutes(deps: TokenRoutesDeps): FastifyPluginAsync {
  const { tokens } = deps;
  return async (app) => {
    app.get('/auth/tokens', { schema: schemas.list }, async (request) => ({
      tokens: (await tokens.list(await whoSignedIn(request, deps))).map(tokenJson),
    }));

    app.post<{ Body: NewToken }>('/auth/tokens', { schema: schemas.make }, async (request, reply) => {
      const owner = await whoSignedIn(request, deps);
      const { kind = 'personal', label, documents, expiresInDays } = request.body;
      if (!/^[^\p{C}]*$/u.test(label)) throw badRequest('label must not hold control characters');
      const rights = documents === undefined ? undefined : rightsOfBody(documents);
      if (!Object.keys(rights ?? {}).every((pattern) => /^[^\0\p{Cs}]{1,256}$/u.test(pattern))) {
        throw badRequest('documents must name documents of 1 to 255 characters');
      }
      const lifetimeMs = expiresInDays === undefined ? undefined : expiresInDays * DAY_MS;
      const { token, secret } = await tokens.make(owner, { kind, label, documents: rights, lifetimeMs }, request.ip);
      return reply.code(201).send({ ...tokenJson(token), secret });
    });

    app.delete<{ Params: { id: string } }>('/auth/tokens/:id', { schema: schemas.end }, async (request, reply) => {
      await tokens.end(await whoSignedIn(request, deps), request.params.id, request.ip);
      return reply.code(204).send();
    });
  };
}

function tokenJson({ id, kind, label, documents, createdAtMs, expiresAtMs }: ProgramToken) {
  const createdAt = new Date(createdAtMs).toISOString();
  return { id, kind, label, documents, createdAt, expiresAt: expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString() };
}
