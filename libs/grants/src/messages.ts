/** The words between who asks (gateway) and who knows (auth): JSON on the bus, request and reply (SPEC G4). */
import type { Decision, Question, Who } from './decision.ts';
import { MalformedAuthMessage, decodeObject, encode, isObject } from './json-message.ts';
import { isRole } from './role.ts';

export const AUTH_CHECK_SUBJECT = 'weft.auth.check';
/** All auth processes share this queue group: one of them answers. */
export const AUTH_QUEUE = 'auth';
/** UTF-8 bytes; a token with a hundred patterns of rights has about 4 kB (SPEC G5). */
export const TOKEN_BYTES_MAX = 8192;

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
  const { allowed, role, who, untilMs, session } = answer;
  if (allowed !== true || !isRole(role) || !isWho(who) || typeof untilMs !== 'number' || !isSession(session)) {
    throw new MalformedAuthMessage('answer is neither an allowance nor a refusal');
  }
  return { allowed, role, who: { id: who.id, name: who.name }, untilMs, ...(session === undefined ? {} : { session }) };
}

function isSession(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value !== '');
}

function isWho(value: unknown): value is Who {
  return isObject(value) && typeof value['id'] === 'string' && typeof value['name'] === 'string';
}
