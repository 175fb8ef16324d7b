import type { FastifyRequest } from 'fastify';

import { badRequest } from './failure.ts';

/** A body as an object: UTF-8, JSON, and nothing that could be taken for a prototype. @throws HttpRefusal */
export async function readJson(_request: FastifyRequest, body: Buffer): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // The parser's own message quotes the text, which may be a secret.
    throw badRequest('the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('the body must be a JSON object');
  if (Object.hasOwn(value, '__proto__')) throw badRequest('the body must not name __proto__');
  return value as Record<string, unknown>;
}
