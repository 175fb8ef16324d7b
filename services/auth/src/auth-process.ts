import { NatsBus } from '@weft/bus';
import { retry } from '@weft/lifecycle';
import type { Service } from '@weft/lifecycle';
import { startOpsServer } from '@weft/telemetry';
import type { Logger, Metrics, OpsServer } from '@weft/telemetry';

import { startHttpServer } from './adapters/http-server.ts';
import type { HttpServer } from './adapters/http-server.ts';
import { openSigningKey } from './adapters/open-signing-key.ts';
import type { AuthProcessConfig } from './config.ts';
import { createAuth } from './service.ts';
import type { AuthService } from './service.ts';

const NATS_RETRY = { baseMs: 200, maxMs: 5000 };

/**
 * Auth as a process of its own: key, NATS, HTTP and ops port around the service. It is alive from the first moment, and ready once it hears
 * questions; NATS away at the start is waited for.
 */
export class AuthProcess implements Service {
  readonly #config: AuthProcessConfig;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #stopping = new AbortController();
  #bus: NatsBus | undefined;
  #auth: AuthService | undefined;
  #http: HttpServer | undefined;
  #ops: OpsServer | undefined;
  #draining = false;

  constructor(config: AuthProcessConfig, logger: Logger, metrics: Metrics) {
    this.#config = config;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  async run(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      // Stopped while it waited for NATS: that is no failure.
      if (!this.#stopping.signal.aborted) throw error;
    }
  }

  async #start(): Promise<void> {
    const { keySource, host, port, opsHost, opsPort, natsUrl } = this.#config;
    const key = await openSigningKey(keySource);
    this.#ops = await startOpsServer({ host: opsHost, port: opsPort, metrics: this.#metrics, ready: () => this.#readiness() });
    const logger = this.#logger;
    const bus = await retry(() => NatsBus.connect({ url: natsUrl.join(','), name: 'weft-auth', logger }), {
      signal: this.#stopping.signal,
      logger,
      what: 'connect to NATS',
      ...NATS_RETRY,
    });
    this.#bus = bus;
    const auth = createAuth({ bus, key, logger, metrics: this.#metrics }, this.#config);
    this.#http = await startHttpServer({ host, port, logger, handle: (request) => auth.handleHttp(request) });
    await auth.run();
    this.#auth = auth;
    logger.info(
      { host, port: this.#http.port, kid: key.kid, guests: this.#config.guests, devSignIn: this.#config.devSignIn },
      'auth answers',
    );
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([this.#auth?.drain(), this.#http?.close()]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('auth stops'));
    await this.#auth?.stop();
    await this.#http?.close();
    await this.#bus?.close();
    await this.#ops?.close();
  }

  #readiness(): { ok: boolean; reasons: string[] } {
    const reasons: string[] = [];
    if (this.#draining) reasons.push('draining');
    else if (this.#auth === undefined) reasons.push('starting: NATS is not connected yet');
    else if (this.#bus?.connected !== true) reasons.push('NATS is away');
    return { ok: reasons.length === 0, reasons };
  }
}
