import type { Bus, BusSubscription } from '@weft/bus';
import type { Service } from '@weft/lifecycle';
import type { Logger, Metrics } from '@weft/telemetry';

import { CheckResponder } from './check-responder.ts';
import type { Policy } from './deciders/at-once.ts';
import type { Builtin } from './builtin.ts';
import { createDecider } from './deciders/from-config.ts';
import type { DeciderConfig } from './deciders/from-config.ts';
import { createAuthApp } from './http/app.ts';
import { carry } from './http/carry.ts';
import type { HttpRequest, HttpResponse } from './http/carry.ts';
import { listen } from './http/listen.ts';
import type { HttpServer } from './http/listen.ts';
import type { AuthKeys } from './keys/auth-keys.ts';
import { answerKeys } from './keys/keys-responder.ts';

export interface AuthDeps {
  readonly bus: Bus;
  readonly keys: AuthKeys;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where builtin decides; it is run and stopped with this service. */
  readonly builtin?: Builtin | undefined;
  /** Ms since the epoch; the wall clock unless given. */
  readonly now?: () => number;
}

export interface AuthConfig extends Policy {
  readonly devSignIn: boolean;
  readonly tokenLifetimeMs: number;
  /** Unset: tokens of ours that carry their rights. */
  readonly decider?: DeciderConfig;
  /** Pages beside the house's own that may use its cookies, and read answers. */
  readonly origins?: readonly string[] | undefined;
  /** Addresses and networks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies?: readonly string[] | undefined;
}

export interface AuthService extends Service {
  /** Answers `/auth/*`, for whoever owns the port. */
  handleHttp(request: HttpRequest): Promise<HttpResponse>;
  /** Answers `/auth/*` on a port of its own. */
  listen(at: { readonly host: string; readonly port: number }): Promise<HttpServer>;
}

/** Answers "who is this, and what may they do?" on the bus, and `/auth/*`. */
export function createAuth(deps: AuthDeps, config: AuthConfig): AuthService {
  const { bus, keys, logger, builtin, now = Date.now } = deps;
  const { devSignIn, tokenLifetimeMs, origins = [], trustedProxies = [] } = config;
  const { decider, close: closeDecider } = createDecider(config.decider ?? { kind: 'tokens' }, {
    bus,
    keys,
    logger,
    now,
    policy: config,
    builtin: () => given(builtin).decider,
  });
  const decisions = deps.metrics.counter('weft_auth_decisions_total', {
    help: 'Questions about a token and a document, by how they ended.',
    labels: ['outcome'],
  });
  const count = (outcome: string) => decisions.inc({ outcome });
  const responder = new CheckResponder({ bus, logger, decide: (question) => decider.decide(question), count });
  const app = createAuthApp({
    keys,
    devSignIn,
    tokenLifetimeMs,
    now,
    logger,
    origins,
    trustedProxies,
    verify: { decider, now, origins, count, signer: () => keys.signing() },
    builtin: builtin?.routes,
  });
  let keysAnswers: BusSubscription | undefined;
  const drain = async (): Promise<void> => {
    keysAnswers?.unsubscribe();
    await responder.drain();
  };
  return {
    run: async () => {
      await app.ready();
      await builtin?.run();
      keysAnswers = answerKeys(bus, keys);
      responder.start();
    },
    drain,
    stop: async () => {
      await drain();
      await app.close();
      closeDecider();
      await builtin?.stop();
    },
    handleHttp: (request) => carry(app, request),
    listen: (at) => listen(app, at),
  };
}

function given(builtin: Builtin | undefined): Builtin {
  if (builtin === undefined) throw new Error('WEFT_AUTH=builtin needs its tables');
  return builtin;
}
