/** The words between who asks (gateway) and who knows (auth): JSON on the bus, request and reply (SPEC G4). */
import type { Decision, Question, Who } from './decision.ts';
import { isRole } from './role.ts';

export const AUTH_CHECK_SUBJECT = 'weft.auth.check';
/** All auth processes share this queue group: one of them answers. */
export const AUTH_QUEUE = 'auth';
/** UTF-8 bytes; a token with a hundred patterns of rights has about 4 kB (SPEC G5). */
export const TOKEN_BYTES_MAX = 8192;

export class MalformedAuthMessage extends Error {
  override readonly name = 'MalformedAuthMessage';
}

export function encodeQuestion(question: Question): Uint8Array {
  return encode({ token: question.token, document: question.document });
}

/** @throws MalformedAuthMessage, whose message bears nothing of the content. */
export function decodeQuestion(bytes: Uint8Array): Question {
  const { token, document } = decodeObject(bytes, 'question');
  if (typeof token !== 'string') throw new MalformedAuthMessage('question without a token string');
  if (typeof document !== 'string') throw new MalformedAuthMessage('question without a document string');
  return { token, document };
}

export function encodeDecision(decision: Decision): Uint8Array {
  return encode(decision);
}

/** @throws MalformedAuthMessage unless it is exactly an allowance or a refusal. */
export function decodeDecision(bytes: Uint8Array): Decision {
  const answer = decodeObject(bytes, 'answer');
  if (answer['allowed'] === false) {
    const { status, reason } = answer;
    if ((status !== 401 && status !== 403) || typeof reason !== 'string')
      throw new MalformedAuthMessage('refusal without status and reason');
    return { allowed: false, status, reason };
  }
  const { allowed, role, who, untilMs } = answer;
  if (allowed !== true || !isRole(role) || !isWho(who) || typeof untilMs !== 'number') {
    throw new MalformedAuthMessage('answer is neither an allowance nor a refusal');
  }
  return { allowed, role, who: { id: who.id, name: who.name }, untilMs };
}

function isWho(value: unknown): value is Who {
  return isObject(value) && typeof value['id'] === 'string' && typeof value['name'] === 'string';
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decodeObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the text, which may be a token: it must not reach a log.
    throw new MalformedAuthMessage(`${what} is not JSON`);
  }
  if (!isObject(value)) throw new MalformedAuthMessage(`${what} is not a JSON object`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
