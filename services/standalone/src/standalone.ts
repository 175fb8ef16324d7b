import { createAuth, openAuthKeys, openBuiltin } from '@weft/auth';
import type { AuthService, HttpRequest } from '@weft/auth';
import { InProcessBus } from '@weft/bus';
import { MemoryCache } from '@weft/cache';
import { createGateway } from '@weft/gateway';
import type { Gateway } from '@weft/gateway';
import { AuthClient } from '@weft/grants';
import { sleep } from '@weft/lifecycle';
import type { Service } from '@weft/lifecycle';
import { createPersistence } from '@weft/persistence';
import type { PersistenceService } from '@weft/persistence';
import { Database, Store } from '@weft/store';
import { createSyncWorker } from '@weft/sync-worker';
import type { SyncWorker } from '@weft/sync-worker';
import { Metrics, startOpsServer } from '@weft/telemetry';
import type { Logger, Readiness } from '@weft/telemetry';
import { SqlWal } from '@weft/wal';
import { readSite } from '@weft/web';

import { keepPostgres } from './adapters/kept-postgres.ts';
import { assertPortFree } from './adapters/port-free.ts';
import type { StandaloneConfig } from './config.ts';

export interface StandaloneDeps {
  /** Of one part of the house: `standalone` itself, `gateway`, … */
  readonly loggerOf: (part: string) => Logger;
}

/** A question to auth in the same process: an answer that takes longer means a stopped event loop. */
const AUTH_TIMEOUT_MS = 5000;
const READY_MS = 30_000;
const READY_POLL_MS = 20;

interface Storage {
  readonly database: Database;
  readonly store: Store;
  readonly wal: SqlWal;
}

interface Parts {
  readonly auth: AuthService;
  readonly persistence: PersistenceService;
  readonly worker: SyncWorker;
  readonly gateway: Gateway;
}

/**
 * The whole house in one process.
 *   run:   Postgres, tables and log, then who reads (persistence, worker), who knows (auth), and last the door (gateway)
 *   drain: the door first, so that nothing new comes; then what is in the log goes to Postgres
 *   stop:  everything that was started, last first
 */
export class Standalone implements Service {
  readonly #config: StandaloneConfig;
  readonly #loggerOf: (part: string) => Logger;
  readonly #logger: Logger;
  readonly #metrics = new Metrics({ defaultMetrics: true });
  readonly #stopping = new AbortController();
  /** What to undo, in the order it was done. */
  readonly #undo: { readonly what: string; readonly undo: () => Promise<void> }[] = [];
  #parts: Parts | undefined;
  #started: Promise<void> = Promise.resolve();

  constructor(config: StandaloneConfig, { loggerOf }: StandaloneDeps) {
    this.#config = config;
    this.#loggerOf = loggerOf;
    this.#logger = loggerOf('standalone');
  }

  /** Where clients connect, once `run` resolved. */
  get port(): number {
    return this.#parts?.gateway.port ?? 0;
  }

  async run(): Promise<void> {
    this.#started = this.#start();
    try {
      await this.#started;
    } catch (error) {
      // Stopped before it was up: that is no failure.
      if (!this.#stopping.signal.aborted) throw error;
    }
  }

  async drain(): Promise<void> {
    await this.#parts?.gateway.drain();
    await this.#parts?.auth.drain();
    await this.#parts?.persistence.drain();
    await this.#parts?.worker.drain();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('standalone stops'));
    // What is being started must be known before it can be stopped.
    await Promise.allSettled([this.#started]);
    for (let last = this.#undo.pop(); last !== undefined; last = this.#undo.pop()) {
      const { what, undo } = last;
      await undo().catch((err: unknown) => this.#logger.warn({ err, what }, 'did not stop well'));
    }
  }

  async #start(): Promise<void> {
    const { host, port } = this.#config;
    await assertPortFree(host, port);
    const site = await readSite();
    const parts = await this.#startServices(await this.#openStorage(), site);
    this.#parts = parts;
    await this.#startOps(parts);
    await this.#untilReady(parts);
  }

  async #openStorage(): Promise<Storage> {
    const startedMs = performance.now();
    const { postgresFolder, postgresFsync } = this.#config;
    if (!postgresFsync)
      this.#logger.error('WEFT_TEST_ONLY_FSYNC_OFF is set: ACKNOWLEDGED EDITS ARE LOST WITH THE POWER. Never use it but in tests');
    const postgresOptions = {
      logger: this.#logger,
      postgresLogger: this.#loggerOf('postgres'),
      settings: postgresFsync ? {} : { fsync: 'off' },
    };
    const postgres = this.#keep('Postgres', await keepPostgres(postgresFolder, postgresOptions));
    const { url, version } = postgres;
    const database = new Database({
      url,
      applicationName: 'weft',
      onConnectionLost: (err) => this.#logger.debug({ err }, 'a connection to Postgres broke'),
    });
    this.#undo.push({ what: 'database', undo: () => database.close() });
    const wal = new SqlWal({ url, logger: this.#loggerOf('log'), slices: this.#config.gateway.slices });
    this.#undo.push({ what: 'log', undo: () => wal.close() });
    await database.migrate();
    await wal.open();
    for (const weakness of [...(await database.weaknesses()), ...(await wal.weaknesses())])
      this.#logger.warn({ weakness }, 'edits are less safe than promised');
    this.#logger.info({ version, tookMs: Math.round(performance.now() - startedMs) }, `PostgreSQL ${version} is up, and the log is open`);
    return { database, store: new Store(database), wal };
  }

  async #startServices({ database, store, wal }: Storage, files: Awaited<ReturnType<typeof readSite>>): Promise<Parts> {
    const {
      keySource,
      keyRotationMs,
      auth: authConfig,
      builtin: builtinConfig,
      gateway: gatewayConfig,
      worker: workerConfig,
      persistence: persistenceConfig,
    } = this.#config;
    const metrics = this.#metrics;
    const bus = new InProcessBus({ logger: this.#loggerOf('bus') });
    this.#undo.push({ what: 'bus', undo: () => bus.close() });

    const persistence = await this.#launch(
      'persistence',
      createPersistence({ wal, store, metrics, logger: this.#loggerOf('persistence') }, persistenceConfig),
    );
    const worker = await this.#launch(
      'sync-worker',
      createSyncWorker({ bus: bus.sibling(), wal, store, metrics, logger: this.#loggerOf('sync-worker') }, workerConfig),
    );
    const authLogger = this.#loggerOf('auth');
    const keysOptions = { logger: authLogger, now: Date.now, rotationMs: keyRotationMs, tokenLifetimeMs: authConfig.tokenLifetimeMs };
    const keys = await this.#launch('keys', await openAuthKeys(keySource, { ...keysOptions, bus: bus.sibling() }));
    const authDeps = { bus: bus.sibling(), keys, logger: authLogger };
    const builtin = builtinConfig && (await openBuiltin({ ...authDeps, database, cache: new MemoryCache() }, builtinConfig));
    const auth = await this.#launch('auth', createAuth({ ...authDeps, builtin, metrics }, authConfig));
    const authClient = new AuthClient(bus.sibling(), { timeoutMs: AUTH_TIMEOUT_MS });
    const routes = { '/auth/*': (request: HttpRequest) => auth.handleHttp(request) };
    const gateway = await this.#launch(
      'gateway',
      createGateway(
        {
          bus: bus.sibling(),
          wal,
          auth: authClient,
          routes,
          files,
          loopbackOriginsOnly: authConfig.guests !== 'none',
          metrics,
          logger: this.#loggerOf('gateway'),
        },
        gatewayConfig,
      ),
    );
    return { persistence, worker, auth, gateway };
  }

  async #startOps(parts: Parts): Promise<void> {
    const { opsPort } = this.#config;
    if (opsPort === undefined) return;
    const ops = await startOpsServer({ host: '127.0.0.1', port: opsPort, metrics: this.#metrics, ready: () => readinessOf(parts) });
    this.#undo.push({ what: 'ops server', undo: () => ops.close() });
  }

  async #untilReady(parts: Parts): Promise<void> {
    for (const giveUpMs = performance.now() + READY_MS; ;) {
      const { ok, reasons } = readinessOf(parts);
      if (ok) return;
      if (performance.now() > giveUpMs) throw new Error(`not ready within ${READY_MS / 1000} s: ${reasons.join('; ')}`);
      await sleep(READY_POLL_MS, this.#stopping.signal);
    }
  }

  /** Registered before it runs: a start that fails half way is stopped too. */
  async #launch<S extends Service>(what: string, service: S): Promise<S> {
    this.#stopping.signal.throwIfAborted();
    this.#keep(what, service);
    await service.run();
    return service;
  }

  #keep<S extends { stop(): Promise<void> }>(what: string, part: S): S {
    this.#undo.push({ what, undo: () => part.stop() });
    return part;
  }
}

function readinessOf({ gateway, worker, persistence }: Parts): Readiness {
  const reasons = [
    ...gateway.notReady().map((reason) => `gateway: ${reason}`),
    ...worker.notReady().map((reason) => `sync-worker: ${reason}`),
    ...persistence.readiness().reasons.map((reason) => `persistence: ${reason}`),
  ];
  return { ok: reasons.length === 0, reasons };
}
