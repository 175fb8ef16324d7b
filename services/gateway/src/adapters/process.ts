import { NatsBus, NatsUnreachable } from '@weft/bus';
import { RedisCache } from '@weft/cache';
import type { Config } from '@weft/config';
import { AuthClient, GrantVerifier } from '@weft/grants';
import { retry, type Service } from '@weft/lifecycle';
import { type Logger, Metrics, type OpsServer, startOpsServer } from '@weft/telemetry';
import { jetStreamOptions, JetStreamWal, WalUnavailable } from '@weft/wal';
import type { gatewayProcessSettings } from '../config.ts';
import { createGateway, type Gateway } from '../service.ts';

const retryBaseMs = 200;
const retryMaxMs = 5_000;
/** Somebody who comes while auth cannot be asked waits, and is sent away (1013, 503) before a provider gives up on a silent server, after 30 s (protocol.md). */
const authTimeoutMs = 20_000;
/** Who comes with a grant whose key cannot be had in time is asked about as without one. */
const keysTimeoutMs = 1_000;

/** The gateway as a process of its own, on NATS: alive from the first moment, ready once it serves. What is away at the start is waited for. */
export class GatewayProcess implements Service {
  readonly #config: Config<typeof gatewayProcessSettings>;
  readonly #logger: Logger;
  readonly #metrics = new Metrics({ defaultMetrics: true });
  readonly #starting = new AbortController();
  #ops: OpsServer | undefined;
  #bus: NatsBus | undefined;
  #wal: JetStreamWal | undefined;
  #gateway: Gateway | undefined;
  #cache: RedisCache | undefined;

  constructor(config: Config<typeof gatewayProcessSettings>, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  async run(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      // Stopped while it waited for what is away: that is no failure.
      if (!this.#starting.signal.aborted) throw error;
    }
  }

  async #start(): Promise<void> {
    const { id, natsUrl, opsHost, opsPort, slices } = this.#config;
    this.#ops = await startOpsServer({
      host: opsHost,
      port: opsPort,
      metrics: this.#metrics,
      ready: () => this.#readiness(),
      views: { '/ring': () => this.#gateway?.ring() ?? null },
    });
    const logger = this.#logger;
    const nats = { url: natsUrl.join(','), name: `weft-gateway ${id}`, logger };
    const bus = await this.#retried('connect to NATS', () => NatsBus.connect(nats));
    this.#bus = bus;
    const wal = new JetStreamWal({ ...nats, slices, ...jetStreamOptions(this.#config) });
    this.#wal = wal;
    await this.#retried('open the log', () => wal.open());
    for (const weakness of await this.#retried('ask how durable the log is', () => wal.weaknesses()))
      logger.warn({ weakness }, `acknowledged may be less than durable: ${weakness}`);
    const auth = new AuthClient(bus, { timeoutMs: authTimeoutMs });
    const grants = new GrantVerifier(bus, { timeoutMs: keysTimeoutMs });
    const edge = this.#config.grants === 'edge' ? { grants } : {};
    if (edge.grants) grants.start();
    const { redisUrl } = this.#config;
    if (redisUrl !== undefined) this.#cache = new RedisCache({ url: redisUrl, logger });
    const shared = this.#cache ? { cache: this.#cache } : {};
    this.#gateway = createGateway({ bus, wal, auth, logger, metrics: this.#metrics, ...edge, ...shared }, this.#config);
    await this.#gateway.run();
  }

  async drain(): Promise<void> {
    await this.#gateway?.drain();
  }

  async stop(): Promise<void> {
    this.#starting.abort(new Error('the gateway stops'));
    await this.#gateway?.stop();
    await this.#cache?.close();
    await this.#wal?.close();
    await this.#bus?.close();
    await this.#ops?.close();
  }

  #readiness(): { ok: boolean; reasons: string[] } {
    const reasons = this.#gateway ? this.#gateway.notReady() : [this.#wal ? 'waiting for the log' : 'waiting for NATS'];
    return { ok: reasons.length === 0, reasons };
  }

  #retried<T>(what: string, operation: () => Promise<T>): Promise<T> {
    return retry(operation, {
      what,
      signal: this.#starting.signal,
      logger: this.#logger,
      baseMs: retryBaseMs,
      maxMs: retryMaxMs,
      isRetryable: (error) => error instanceof NatsUnreachable || error instanceof WalUnavailable,
    });
  }
}
