import { TOKEN_BYTES_MAX } from '@weft/grants';
import type { Decision, Question, Refused, Role } from '@weft/grants';

export interface Policy {
  /** What an empty token may do (SPEC A6). */
  readonly guests: 'edit' | 'read' | 'none';
}

/** UTF-8 bytes. */
const DOCUMENT_BYTES_MAX = 255;
/** A guest has no token that could end; their gateway asks again after this. */
const GUEST_UNTIL_MS = 24 * 60 * 60 * 1000;

/** What every decider says before it looks at a token: a wrong document name, a guest, a token beyond the limit. `undefined`: the token has to be asked. */
export function decideAtOnce({ token, document }: Question, policy: Policy, nowMs: number): Decision | undefined {
  if (!isDocumentName(document)) return refuse(403, 'document name must have 1 to 255 bytes');
  if (token === '') return decideGuest(policy, nowMs);
  if (byteLength(token) > TOKEN_BYTES_MAX) return refuse(401, 'token is too long');
  return undefined;
}

function decideGuest({ guests }: Policy, nowMs: number): Decision {
  if (guests === 'none') return refuse(401, 'a token is needed');
  const role: Role = guests === 'edit' ? 'editor' : 'viewer';
  return { allowed: true, role, who: { id: 'guest', name: 'Guest' }, untilMs: nowMs + GUEST_UNTIL_MS };
}

export function refuse(status: Refused['status'], reason: string): Refused {
  return { allowed: false, status, reason };
}

function isDocumentName(document: string): boolean {
  return document.trim() !== '' && !document.includes('\0') && byteLength(document) <= DOCUMENT_BYTES_MAX;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
