import { roleFor } from '@weft/grants';
import type { Decision, Question } from '@weft/grants';

import type { VerifyingKeys } from '../signing-key.ts';
import { CLOCK_TOLERANCE_MS, TokenError, verifyToken } from '../token.ts';
import { decideAtOnce, refuse } from './at-once.ts';
import type { Policy } from './at-once.ts';
import type { Decider } from './decider.ts';

export interface TokensDeciderDeps {
  /** The keys as they are now: they change when the signing key is rotated. */
  readonly keys: () => VerifyingKeys;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly policy: Policy;
}

/** `WEFT_AUTH=tokens`: the token is ours and carries its rights; nothing is stored. */
export class TokensDecider implements Decider {
  readonly #deps: TokensDeciderDeps;

  constructor(deps: TokensDeciderDeps) {
    this.#deps = deps;
  }

  async decide(question: Question): Promise<Decision> {
    const { keys, now, policy } = this.#deps;
    const nowMs = now();
    const atOnce = decideAtOnce(question, policy, nowMs);
    if (atOnce !== undefined) return atOnce;
    try {
      const claims = await verifyToken(question.token, keys(), nowMs);
      const role = roleFor(claims.documents ?? {}, question.document);
      if (role === undefined) return refuse(403, 'token gives no right to this document');
      return { allowed: true, role, who: { id: claims.sub, name: claims.name }, untilMs: claims.expiresAtMs + CLOCK_TOLERANCE_MS };
    } catch (error) {
      if (error instanceof TokenError) return refuse(401, error.message);
      throw error;
    }
  }
}
