import { NatsBus } from '@weft/bus';
import { RedisCache } from '@weft/cache';
import { retry } from '@weft/lifecycle';
import type { Service } from '@weft/lifecycle';
import { Database, SchemaTooNew, SigningKeyTable } from '@weft/store';
import { startOpsServer } from '@weft/telemetry';
import type { Logger, Metrics, OpsServer } from '@weft/telemetry';

import { openBuiltin } from './builtin.ts';
import type { Builtin } from './builtin.ts';
import type { AuthProcessConfig } from './config.ts';
import type { HttpServer } from './http/listen.ts';
import type { AuthKeys } from './keys/auth-keys.ts';
import { openAuthKeys } from './keys/open-keys.ts';
import { createAuth } from './service.ts';
import type { AuthService } from './service.ts';
import { SigningKeyError } from './signing-key.ts';

const RETRY = { baseMs: 200, maxMs: 5000 };

/**
 * Auth as a process of its own: NATS, keys, HTTP and ops port around the service. It is alive from the first moment, and ready once it hears
 * questions; NATS or Postgres away at the start is waited for.
 */
export class AuthProcess implements Service {
  readonly #config: AuthProcessConfig;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #stopping = new AbortController();
  #bus: NatsBus | undefined;
  #database: Database | undefined;
  #cache: RedisCache | undefined;
  #keys: (AuthKeys & Service) | undefined;
  #auth: AuthService | undefined;
  #http: HttpServer | undefined;
  #ops: OpsServer | undefined;
  #draining = false;
  #startingWith = 'settings';

  constructor(config: AuthProcessConfig, logger: Logger, metrics: Metrics) {
    this.#config = config;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Of HTTP, once `run` resolved. */
  get port(): number {
    return this.#http?.port ?? 0;
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
    const { host, port, opsHost, opsPort, natsUrl } = this.#config;
    this.#ops = await startOpsServer({ host: opsHost, port: opsPort, metrics: this.#metrics, ready: () => this.#readiness() });
    const logger = this.#logger;
    const bus = await this.#retried('connect to NATS', () => NatsBus.connect({ url: natsUrl.join(','), name: 'weft-auth', logger }));
    this.#bus = bus;
    const database = this.#openDatabase();
    if (database !== undefined) await this.#retried('migrate the schema of Postgres', () => database.migrate());
    const keys = await this.#openKeys(bus, database);
    this.#keys = keys;
    await keys.run();
    const builtin = await this.#openBuiltin(bus, keys, database);
    const auth = createAuth({ bus, keys, logger, builtin, metrics: this.#metrics }, this.#config);
    this.#http = await auth.listen({ host, port });
    await auth.run();
    this.#auth = auth;
    const { guests, devSignIn, decider } = this.#config;
    logger.info({ host, port: this.#http.port, kid: keys.signing().kid, decides: decider.kind, guests, devSignIn }, 'auth answers');
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([this.#auth?.drain(), this.#http?.close()]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('auth stops'));
    await this.#auth?.stop();
    await this.#http?.close();
    await this.#keys?.stop();
    await this.#bus?.close();
    await this.#cache?.close();
    await this.#database?.close();
    await this.#ops?.close();
  }

  /** Only where something is kept there: with a key that is given and rights in tokens auth does without Postgres, and must not wait for it. */
  #openDatabase(): Database | undefined {
    const { postgresUrl, keySource, decider } = this.#config;
    if (postgresUrl === undefined || (keySource.kind !== 'postgres' && decider.kind !== 'builtin')) return undefined;
    this.#database = new Database({
      url: postgresUrl,
      applicationName: 'weft-auth',
      onConnectionLost: (err) => this.#logger.debug({ err }, 'a connection to Postgres broke'),
    });
    return this.#database;
  }

  /** Redis away at the start is not waited for: only signing in needs it. */
  async #openBuiltin(bus: NatsBus, keys: AuthKeys, database: Database | undefined): Promise<Builtin | undefined> {
    const { decider, redisUrl } = this.#config;
    if (decider.kind !== 'builtin') return undefined;
    if (database === undefined || redisUrl === undefined) throw new Error('WEFT_AUTH=builtin needs Postgres and Redis');
    const logger = this.#logger;
    this.#cache = new RedisCache({ url: redisUrl, logger });
    return openBuiltin({ database, bus, keys, logger, cache: this.#cache }, this.#config);
  }

  #openKeys(bus: NatsBus, database: Database | undefined): Promise<AuthKeys & Service> {
    const { keySource, keyRotationMs, tokenLifetimeMs } = this.#config;
    const options = { bus, logger: this.#logger, now: Date.now, rotationMs: keyRotationMs, tokenLifetimeMs };
    return this.#retried('open the signing keys', () =>
      openAuthKeys(keySource, database === undefined ? options : { ...options, table: new SigningKeyTable(database) }),
    );
  }

  #retried<T>(what: string, operation: () => Promise<T>): Promise<T> {
    this.#startingWith = what;
    return retry(operation, {
      signal: this.#stopping.signal,
      logger: this.#logger,
      what,
      isRetryable: (error) => !(error instanceof SigningKeyError || error instanceof SchemaTooNew),
      ...RETRY,
    });
  }

  #readiness(): { ok: boolean; reasons: string[] } {
    const reasons: string[] = [];
    if (this.#draining) reasons.push('draining');
    else if (this.#auth === undefined) reasons.push(`starting: ${this.#startingWith}`);
    else if (this.#bus?.connected !== true) reasons.push('NATS is away');
    return { ok: reasons.length === 0, reasons };
  }
}
