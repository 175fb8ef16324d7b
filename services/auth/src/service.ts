import type { Bus, BusSubscription } from '@weft/bus';
import type { Service } from '@weft/lifecycle';
import type { Logger, Metrics } from '@weft/telemetry';

import { CheckResponder } from './check-responder.ts';
import type { Policy } from './deciders/at-once.ts';
import { TokensDecider } from './deciders/tokens.ts';
import { handleAuthHttp } from './http.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { AuthKeys } from './keys/auth-keys.ts';
import { answerKeys } from './keys/keys-responder.ts';
import { verifyOverHttp } from './verify/verify-http.ts';

export interface AuthDeps {
  readonly bus: Bus;
  readonly keys: AuthKeys;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ms since the epoch; the wall clock unless given. */
  readonly now?: () => number;
}

export interface AuthConfig extends Policy {
  readonly devSignIn: boolean;
  readonly tokenLifetimeMs: number;
}

export interface AuthService extends Service {
  /** Answers `/auth/*`, for whoever owns the port. */
  handleHttp(request: HttpRequest): Promise<HttpResponse>;
}

/** Answers "who is this, and what may they do?" on the bus, and `/auth/*`. */
export function createAuth(deps: AuthDeps, config: AuthConfig): AuthService {
  const now = deps.now ?? Date.now;
  const decider = new TokensDecider({ keys: () => deps.keys.verifying(), now, policy: config });
  const decisions = deps.metrics.counter('weft_auth_decisions_total', {
    help: 'Questions about a token and a document, by how they ended.',
    labels: ['outcome'],
  });
  const responder = new CheckResponder({
    bus: deps.bus,
    logger: deps.logger,
    decide: (question) => decider.decide(question),
    count: (outcome) => decisions.inc({ outcome }),
  });
  const verify = verifyOverHttp({ decider, signer: () => deps.keys.signing(), now, count: (outcome) => decisions.inc({ outcome }) });
  let keysAnswers: BusSubscription | undefined;
  const drain = async (): Promise<void> => {
    keysAnswers?.unsubscribe();
    await responder.drain();
  };
  return {
    run: async () => {
      keysAnswers = answerKeys(deps.bus, deps.keys);
      responder.start();
    },
    drain,
    stop: drain,
    handleHttp: (request) =>
      request.path === '/auth/verify'
        ? verify(request)
        : handleAuthHttp(request, { keys: deps.keys, devSignIn: config.devSignIn, tokenLifetimeMs: config.tokenLifetimeMs, now }),
  };
}
