import type { FastifyPluginAsync } from 'fastify';
import type { IdentityStore } from '@weft/store';

import type { People } from '../accounts/people.ts';
import { whoAdministers } from './who-asks.ts';
import type { WhoAsksDeps } from './who-asks.ts';

export interface AdminRoutesDeps extends WhoAsksDeps {
  readonly store: IdentityStore;
  readonly people: People;
}

const AUDIT_ENTRIES_MAX = 500;
const tags = ['admin'];
const schemas = {
  disabled: {
    summary: 'Disable or enable somebody. Disabled, their sessions and tokens are worth nothing.',
    tags,
    params: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } },
    body: { type: 'object', required: ['disabled'], properties: { disabled: { type: 'boolean' } } },
  },
  audit: {
    summary: 'Who did what, when, from where; newest first.',
    tags,
    querystring: {
      type: 'object',
      properties: {
        before: { type: 'string', pattern: '^[0-9]{1,15}$', description: 'Entries before this id.' },
        limit: { type: 'string', pattern: '^[0-9]{1,3}$' },
      },
    },
  },
} as const;

/** SPEC AC9, AC11. */
export function adminRoutes(deps: AdminRoutesDeps): FastifyPluginAsync {
  return async (app) => {
    app.put<{ Params: { id: string }; Body: { disabled: boolean } }>(
      '/auth/users/:id/disabled',
      { schema: schemas.disabled },
      async (request, reply) => {
        const { userId } = await whoAdministers(request, deps);
        await deps.people.setDisabled(userId, request.params.id, request.body.disabled, request.ip);
        return reply.code(204).send();
      },
    );

    app.get<{ Querystring: { before?: string; limit?: string } }>('/auth/audit', { schema: schemas.audit }, async (request) => {
      await whoAdministers(request, deps);
      const { before, limit = '100' } = request.query;
      const entries = await deps.store.readAudit({
        beforeId: before === undefined ? undefined : Number(before),
        limit: Math.min(Number(limit), AUDIT_ENTRIES_MAX),
      });
      return { entries: entries.map(({ atMs, ...entry }) => ({ at: new Date(atMs).toISOString(), ...entry })) };
    });
  };
}
