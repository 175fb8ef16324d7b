import { isRole } from '@weft/grants';
import type { Role, Who } from '@weft/grants';

import { NAME_LENGTH_MAX, isText } from '../claims.ts';

/** What the backend said of one token and document. */
export type WebhookAnswer = { readonly user: Who; readonly role: Role } | { readonly refused: string };

/** The answer has another shape than agreed. The message says which part, and what was expected; it quotes nothing. */
export class MalformedWebhookAnswer extends Error {
  override readonly name = 'MalformedWebhookAnswer';
}

export const EXPECTED_ANSWER =
  '{"user": {"id": "…", "name": "…"}, "role": "owner" | "editor" | "commenter" | "viewer"} or {"refused": "reason"}, with "document" as asked if at all';

const ID_LENGTH_MAX = 255;
const REASON_LENGTH_MAX = 200;

/** @throws MalformedWebhookAnswer */
export function parseWebhookAnswer(text: string, document: string): WebhookAnswer {
  const answer = parseObject(text);
  if (Object.hasOwn(answer, 'document') && answer['document'] !== document) throw new MalformedWebhookAnswer('it is for another document');
  const isRefusal = Object.hasOwn(answer, 'refused');
  if (isRefusal && (Object.hasOwn(answer, 'user') || Object.hasOwn(answer, 'role'))) {
    throw new MalformedWebhookAnswer('it both allows and refuses');
  }
  return isRefusal ? parseRefusal(answer['refused']) : parseAllowance(answer);
}

function parseRefusal(refused: unknown): WebhookAnswer {
  if (!isText(refused, Number.POSITIVE_INFINITY)) throw new MalformedWebhookAnswer('"refused" is no text');
  // A long one is a no all the same.
  return { refused: refused.replaceAll(/\p{Cc}/gu, ' ').slice(0, REASON_LENGTH_MAX) };
}

function parseAllowance({ user, role }: Readonly<Record<string, unknown>>): WebhookAnswer {
  if (!isObject(user)) throw new MalformedWebhookAnswer('it has neither "user" nor "refused"');
  const { id, name } = user;
  if (!isText(id, ID_LENGTH_MAX)) throw new MalformedWebhookAnswer(`"user.id" is no text of 1 to ${ID_LENGTH_MAX} characters`);
  if (!isText(name, NAME_LENGTH_MAX)) throw new MalformedWebhookAnswer(`"user.name" is no text of 1 to ${NAME_LENGTH_MAX} characters`);
  if (!isRole(role)) throw new MalformedWebhookAnswer('"role" is none of owner, editor, commenter and viewer');
  return { user: { id, name }, role };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes what it read.
    throw new MalformedWebhookAnswer('it is not JSON');
  }
  if (!isObject(value)) throw new MalformedWebhookAnswer('it is no JSON object');
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
