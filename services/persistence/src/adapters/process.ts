import { retry, type Service } from '@weft/lifecycle';
import { Database, Store, StoreUnavailable } from '@weft/store';
import { type Logger, Metrics, type OpsServer, startOpsServer } from '@weft/telemetry';
import { jetStreamOptions, JetStreamWal, WalUnavailable } from '@weft/wal';
import { type readPersistenceConfig, workOf } from '../config.ts';
import { createPersistence, type PersistenceService } from '../service.ts';

const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 10_000;

/** Persistence as a process of its own, on NATS and Postgres: not ready, but alive, until both are there. */
export class PersistenceProcess implements Service {
  readonly #config: ReturnType<typeof readPersistenceConfig>;
  readonly #logger: Logger;
  readonly #metrics = new Metrics({ defaultMetrics: true });
  readonly #wal: JetStreamWal;
  readonly #database: Database;
  readonly #persistence: PersistenceService;
  readonly #starting = new AbortController();
  #waitingFor: string | undefined = 'Postgres';
  #ops: OpsServer | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: ReturnType<typeof readPersistenceConfig>, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    const { id, natsUrl, slices, postgresUrl, connectionsMax } = config;
    this.#database = new Database({
      url: postgresUrl,
      applicationName: `weft-persistence ${id}`,
      connectionsMax,
      onConnectionLost: (err) => logger.warn({ err }, 'an idle connection to Postgres was lost'),
    });
    this.#wal = new JetStreamWal({
      url: natsUrl.join(','),
      name: `weft-persistence ${id}`,
      logger,
      slices,
      ...jetStreamOptions(config),
    });
    this.#persistence = createPersistence(
      { wal: this.#wal, store: new Store(this.#database), logger, metrics: this.#metrics },
      workOf(id, config),
    );
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
    const { opsHost, opsPort } = this.#config;
    this.#ops = await startOpsServer({ host: opsHost, port: opsPort, metrics: this.#metrics, ready: () => this.#readiness() });
    this.#logger.info({ opsPort: this.#ops.port }, 'persistence starts');
    const applied = await this.#retried('migrate the schema of Postgres', () => this.#database.migrate());
    if (applied.length > 0) this.#logger.info({ applied }, 'the schema was brought up to date');
    this.#waitingFor = 'the log';
    await this.#retried('open the log', () => this.#wal.open());
    this.#waitingFor = undefined;
    await this.#warnOfWeaknesses();
    await this.#persistence.run();
  }

  async drain(): Promise<void> {
    await this.#persistence.drain();
  }

  async stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    await this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#starting.abort(new Error('the service stops'));
    await this.#persistence.stop();
    await this.#wal.close();
    await this.#database.close();
    await this.#ops?.close();
  }

  #readiness() {
    return this.#waitingFor === undefined ? this.#persistence.readiness() : { ok: false, reasons: [`waiting for ${this.#waitingFor}`] };
  }

  #retried<T>(what: string, operation: () => Promise<T>): Promise<T> {
    return retry(operation, {
      what,
      signal: this.#starting.signal,
      logger: this.#logger,
      baseMs: RETRY_BASE_MS,
      maxMs: RETRY_MAX_MS,
      isRetryable: (error) => error instanceof StoreUnavailable || error instanceof WalUnavailable,
    });
  }

  async #warnOfWeaknesses(): Promise<void> {
    const asked = await Promise.allSettled([this.#database.weaknesses(), this.#wal.weaknesses()]);
    for (const outcome of asked) {
      if (outcome.status === 'rejected') this.#logger.warn({ err: outcome.reason as unknown }, 'durability could not be checked');
      else for (const weakness of outcome.value) this.#logger.warn({ weakness }, `acknowledged may be less than durable: ${weakness}`);
    }
  }
}
