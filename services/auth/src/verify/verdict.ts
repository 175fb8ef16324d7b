/** What auth answers to the edge, as HTTP wants it. */
import { TOKEN_BYTES_MAX } from '@weft/grants';
import type { Allowed, Decision, Question } from '@weft/grants';
import { documentInTarget, isCollabTarget, tokenOfRequest } from '@weft/protocol';
import type { RequestHead } from '@weft/protocol';

/** What has to be asked, or what is plain without asking. */
export type EdgeQuestion =
  | { readonly kind: 'ask'; readonly question: Question }
  /** Documents are named inside the socket: the gateway asks for each of them. */
  | { readonly kind: 'let-through' }
  | { readonly kind: 'refuse'; readonly status: 401 | 403; readonly reason: string };

/** What to make of the request the edge states (SPEC V1–V4). */
export function edgeQuestion(head: RequestHead, origins: readonly string[]): EdgeQuestion {
  if (head.target === '')
    return { kind: 'refuse', status: 403, reason: 'X-Original-URI is missing: the edge has to state the request it asks about' };
  const token = tokenOfRequest(head, origins);
  if (!couldBeToken(token)) return { kind: 'refuse', status: 401, reason: 'token is too long, or no text a token could be' };
  if (isCollabTarget(head.target)) return { kind: 'let-through' };
  const document = documentInTarget(head.target);
  // nginx takes 401 and 403 for a refusal, and every other status for an auth that is broken.
  if ('problem' in document) return { kind: 'refuse', status: 403, reason: document.problem };
  return { kind: 'ask', question: { token, document: document.name } };
}

export interface Verdict {
  readonly status: 200 | 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
}

export const letThrough: Verdict = { status: 200, headers: {} };

export const cannotBeSaid: Verdict = {
  status: 503,
  headers: { 'x-weft-reason': 'rights cannot be checked at the moment: try again', 'retry-after': '1' },
};

export function refusal(status: 401 | 403, reason: string): Verdict {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer realm="weft"' } : {};
  return { status, headers: { 'x-weft-reason': headerText(reason), ...challenge } };
}

export async function verdictOf(decision: Decision, sign: (allowed: Allowed) => Promise<string>): Promise<Verdict> {
  if (!decision.allowed) return refusal(decision.status, decision.reason);
  return { status: 200, headers: { 'x-weft-grant': await sign(decision) } };
}

/** UTF-16 units that visible ASCII is made of are bytes, too. Empty is a guest. */
function couldBeToken(token: string): boolean {
  return token.length <= TOKEN_BYTES_MAX && /^[!-~]*$/.test(token);
}

const REASON_LENGTH_MAX = 200;

/** A reason may come from somebody else's backend, or quote a path: no header ends early, and none is more than a line. */
function headerText(reason: string): string {
  return reason.slice(0, REASON_LENGTH_MAX).replaceAll(/[^ -~]/g, '?');
}
