import { TOKEN_BYTES_MAX, roleFor } from '@weft/grants';
import type { Decision, Refused, Role } from '@weft/grants';

import { CLOCK_TOLERANCE_MS, TokenError, verifyToken } from './token.ts';
import type { VerifyingKeys } from './signing-key.ts';

export interface Policy {
  /** What an empty token may do (SPEC A6). */
  readonly guests: 'edit' | 'read' | 'none';
}

/** UTF-8 bytes. */
const DOCUMENT_BYTES_MAX = 255;
/** A guest has no token that could end; their gateway asks again after this. */
const GUEST_UNTIL_MS = 24 * 60 * 60 * 1000;

/** May the bearer of `token` open `document` now, and as what? Never rejects for what is in `token` or `document` (SPEC A3). */
export async function authorize(token: string, document: string, keys: VerifyingKeys, nowMs: number, policy: Policy): Promise<Decision> {
  if (!isDocumentName(document)) return refuse(403, 'document name must have 1 to 255 bytes');
  if (token === '') return authorizeGuest(policy, nowMs);
  if (byteLength(token) > TOKEN_BYTES_MAX) return refuse(401, 'token is too long');
  try {
    const claims = await verifyToken(token, keys, nowMs);
    const role = roleFor(claims.documents, document);
    if (role === undefined) return refuse(403, 'token gives no right to this document');
    return { allowed: true, role, who: { id: claims.sub, name: claims.name }, untilMs: claims.expiresAtMs + CLOCK_TOLERANCE_MS };
  } catch (error) {
    if (error instanceof TokenError) return refuse(401, error.message);
    throw error;
  }
}

function authorizeGuest({ guests }: Policy, nowMs: number): Decision {
  if (guests === 'none') return refuse(401, 'a token is needed');
  const role: Role = guests === 'edit' ? 'editor' : 'viewer';
  return { allowed: true, role, who: { id: 'guest', name: 'Guest' }, untilMs: nowMs + GUEST_UNTIL_MS };
}

function isDocumentName(document: string): boolean {
  return document.trim() !== '' && !document.includes('\0') && byteLength(document) <= DOCUMENT_BYTES_MAX;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function refuse(status: Refused['status'], reason: string): Refused {
  return { allowed: false, status, reason };
}
