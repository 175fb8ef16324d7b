import type { Bus } from '@weft/bus';
import type { Service } from '@weft/lifecycle';
import type { Logger, Metrics } from '@weft/telemetry';

import { CheckResponder } from './check-responder.ts';
import type { Policy } from './deciders/at-once.ts';
import { TokensDecider } from './deciders/tokens.ts';
import { handleAuthHttp } from './http.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { verifyingKeys } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';

export interface AuthDeps {
  readonly bus: Bus;
  readonly key: SigningKey;
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
  const keys = verifyingKeys(deps.key);
  const decider = new TokensDecider({ keys: () => keys, now, policy: config });
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
  return {
    run: async () => responder.start(),
    drain: () => responder.drain(),
    stop: () => responder.drain(),
    handleHttp: (request) =>
      handleAuthHttp(request, { key: deps.key, devSignIn: config.devSignIn, tokenLifetimeMs: config.tokenLifetimeMs, now }),
  };
}
