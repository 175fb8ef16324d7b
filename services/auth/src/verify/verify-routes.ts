import { signGrant } from '@weft/grants';
import type { GrantSigner } from '@weft/grants';
import type { RequestHead } from '@weft/protocol';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';

import { DeciderUnavailable } from '../deciders/decider.ts';
import type { Decider } from '../deciders/decider.ts';
import { cannotBeSaid, edgeQuestion, letThrough, refusal, verdictOf } from './verdict.ts';
import type { Verdict } from './verdict.ts';

export interface VerifyDeps {
  readonly decider: Decider;
  /** The key that signs now. */
  readonly signer: () => GrantSigner;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Origins beside the house's own whose pages may use the access cookie (`WEFT_ORIGINS`). */
  readonly origins?: readonly string[];
  /** Called once for each question: how it ended. */
  readonly count?: (outcome: VerifyOutcome) => void;
}

export type VerifyOutcome = 'allowed' | 'refused' | 'unavailable' | 'overloaded';

/** As of questions on the bus (SPEC A10). */
const UNDER_WAY_MAX = 1000;

/** `GET /auth/verify`: what nginx's `auth_request` asks before it passes a request on (SPEC V1–V6). Keeps nothing: what it answers is true at that moment. */
export function verifyRoutes(deps: VerifyDeps): FastifyPluginAsync {
  const { origins = [], count = () => undefined } = deps;
  let underWay = 0;
  return async (app) => {
    app.get('/auth/verify', async (request, reply) => {
      const busy = underWay >= UNDER_WAY_MAX;
      underWay += 1;
      try {
        const verdict = busy ? cannotBeSaid : await answer(headOf(request), origins, deps, request);
        count(busy ? 'overloaded' : outcomes[verdict.status]);
        return await reply.code(verdict.status).headers(verdict.headers).header('cache-control', 'no-store').send();
      } finally {
        underWay -= 1;
      }
    });
  };
}

const outcomes = { 200: 'allowed', 401: 'refused', 403: 'refused', 503: 'unavailable' } as const satisfies Record<
  Verdict['status'],
  VerifyOutcome
>;

async function answer(
  head: RequestHead,
  origins: readonly string[],
  { decider, signer, now }: VerifyDeps,
  { log }: FastifyRequest,
): Promise<Verdict> {
  const asked = edgeQuestion(head, origins);
  switch (asked.kind) {
    case 'let-through':
      return letThrough;
    case 'refuse':
      return refusal(asked.status, asked.reason);
    case 'ask':
      try {
        const { document } = asked.question;
        return await verdictOf(await decider.decide(asked.question), (allowed) => signGrant(signer(), document, allowed, now()));
      } catch (error) {
        // Neither a yes nor a no: whoever asks may come again.
        if (!(error instanceof DeciderUnavailable)) log.error({ err: error }, 'a question of the edge could not be answered');
        return cannotBeSaid;
      }
  }
}

function headOf({ headers }: FastifyRequest): RequestHead {
  const { authorization = '', cookie = '', origin = '', host = '' } = headers;
  const target = headers['x-original-uri'];
  // Twice the same header: Node joins the two, and no target has what joins them in its path. Still, nobody but the edge may have a say.
  return { target: typeof target === 'string' ? target : '', authorization, cookie, origin, host };
}
