import type { FastifyPluginAsync } from 'fastify';
import type { GivenRole, LinkAccess } from '@weft/store';

import type { DocumentRights } from '../accounts/document-rights.ts';
import { badRequest } from './failure.ts';
import { whoAsks } from './who-asks.ts';
import type { WhoAsksDeps } from './who-asks.ts';

export interface DocumentRoutesDeps extends WhoAsksDeps {
  readonly rights: DocumentRights;
}

interface OfDocument {
  readonly name: string;
}
interface OfPerson extends OfDocument {
  readonly person: string;
}

/** UTF-8 bytes. */
const DOCUMENT_BYTES_MAX = 255;
const tags = ['rights of a document'];
const name = { type: 'string', minLength: 1, maxLength: DOCUMENT_BYTES_MAX, description: 'The document’s name, percent-encoded.' } as const;
const person = { type: 'string', minLength: 1, maxLength: 300, description: 'A user name or an e-mail address.' } as const;
const ofDocument = { type: 'object', properties: { name } } as const;
const ofPerson = { type: 'object', properties: { name, person } } as const;
const schemas = {
  see: {
    summary: 'Your role, the link’s access, and for the owner the people with their roles; where it is deleted, since when.',
    tags,
    params: ofDocument,
  },
  give: {
    summary: 'Give somebody a role, or the ownership. Nobody of that name or address yet: an invitation.',
    tags,
    params: ofPerson,
    body: { type: 'object', required: ['role'], properties: { role: { enum: ['owner', 'editor', 'commenter', 'viewer'] } } },
  },
  take: { summary: 'Take somebody’s role, or an invitation back.', tags, params: ofPerson },
  link: {
    summary: 'What everybody may do who has the document’s name.',
    tags,
    params: ofDocument,
    body: { type: 'object', required: ['access'], properties: { access: { enum: ['none', 'read', 'edit'] } } },
  },
  delete: {
    summary:
      'Delete the document: nobody has a right to it, and open connections end. Content, roles and link are kept until it is restored.',
    tags,
    params: ofDocument,
  },
  restore: { summary: 'Bring a deleted document back as it was.', tags, params: ofDocument },
} as const;

/** SPEC AC12–AC15. */
export function documentRoutes(deps: DocumentRoutesDeps): FastifyPluginAsync {
  const { rights } = deps;
  return async (app) => {
    app.get<{ Params: OfDocument }>('/auth/documents/:name/roles', { schema: schemas.see }, async (request) => {
      const { role, link, people, deletedAtMs } = await rights.see(await whoAsks(request, deps), documentOf(request.params));
      return {
        role,
        link,
        people: people?.map((one) => ({ name: one.name, role: one.role, invitedBy: one.knownBy })),
        ...(deletedAtMs === undefined ? {} : { deletedAt: new Date(deletedAtMs).toISOString() }),
      };
    });

    app.put<{ Params: OfPerson; Body: { role: GivenRole | 'owner' } }>(
      '/auth/documents/:name/roles/:person',
      { schema: schemas.give },
      async (request) => rights.give(await whoAsks(request, deps), documentOf(request.params), request.params.person, request.body.role),
    );

    app.delete<{ Params: OfPerson }>('/auth/documents/:name/roles/:person', { schema: schemas.take }, async (request, reply) => {
      await rights.take(await whoAsks(request, deps), documentOf(request.params), request.params.person);
      return reply.code(204).send();
    });

    app.put<{ Params: OfDocument; Body: { access: LinkAccess } }>(
      '/auth/documents/:name/link',
      { schema: schemas.link },
      async (request, reply) => {
        await rights.setLink(await whoAsks(request, deps), documentOf(request.params), request.body.access);
        return reply.code(204).send();
      },
    );

    app.delete<{ Params: OfDocument }>('/auth/documents/:name', { schema: schemas.delete }, async (request, reply) => {
      await rights.delete(await whoAsks(request, deps), documentOf(request.params));
      return reply.code(204).send();
    });

    app.post<{ Params: OfDocument }>('/auth/documents/:name/restore', { schema: schemas.restore }, async (request, reply) => {
      await rights.restore(await whoAsks(request, deps), documentOf(request.params));
      return reply.code(204).send();
    });
  };
}

function documentOf({ name: document }: OfDocument): string {
  if (document.trim() === '' || document.includes('\0') || new TextEncoder().encode(document).length > DOCUMENT_BYTES_MAX) {
    throw badRequest(`document name must have 1 to ${DOCUMENT_BYTES_MAX} bytes`);
  }
  return document;
}
