import { NatsBus, NatsUnreachable } from '@weft/bus';
import type { Config } from '@weft/config';
import { retry, type Service } from '@weft/lifecycle';
import { Database, Store } from '@weft/store';
import { type Logger, Metrics, type OpsServer, startOpsServer } from '@weft/telemetry';
import { jetStreamOptions, JetStreamWal, WalUnavailable } from '@weft/wal';
import type { workerProcessSettings } from '../config.ts';
import { createSyncWorker, type SyncWorker } from '../service.ts';

const retryBaseMs = 200;
const retryMaxMs = 5_000;

/** The sync-worker as a process of its own, on NATS and Postgres: alive from the first moment, ready once it serves. */
export class WorkerProcess implements Service {
  readonly #config: Config<typeof workerProcessSettings>;
  readonly #logger: Logger;
  readonly #metrics = new Metrics({ defaultMetrics: true });
  readonly #starting = new AbortController();
  readonly #database: Database;
  #ops: OpsServer | undefined;
  #bus: NatsBus | undefined;
  #wal: JetStreamWal | undefined;
  #worker: SyncWorker | undefined;
  #waitingFor: string | undefined = 'NATS';

  constructor(config: Config<typeof workerProcessSettings>, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#database = new Database({
      url: config.postgresUrl,
      applicationName: `weft-sync-worker ${config.id}`,
      onConnectionLost: (err) => logger.warn({ err }, 'an idle connection to Postgres was lost'),
    });
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
      views: { '/ring': () => this.#worker?.ring() ?? null },
    });
    const logger = this.#logger;
    const nats = { url: natsUrl.join(','), name: `weft-sync-worker ${id}`, logger };
    const bus = await this.#retried('connect to NATS', () => NatsBus.connect(nats));
    this.#bus = bus;
    this.#waitingFor = 'the log';
    const wal = new JetStreamWal({ ...nats, slices, ...jetStreamOptions(this.#config) });
    this.#wal = wal;
    await this.#retried('open the log', () => wal.open());
    // A worker that never saw Postgres would take partitions from workers that have their documents in memory, and could answer for none. What is wrong is not
    // asked: the schema may come later than we do, with the first persistence.
    const store = new Store(this.#database);
    this.#waitingFor = 'Postgres';
    await this.#retried('read from Postgres', () => store.floor(0), anyError);
    this.#waitingFor = undefined;
    const worker = createSyncWorker({ bus, wal, store, logger, metrics: this.#metrics }, this.#config);
    this.#worker = worker;
    await worker.run();
  }

  async drain(): Promise<void> {
    await this.#worker?.drain();
  }

  async stop(): Promise<void> {
    this.#starting.abort(new Error('the sync-worker stops'));
    await this.#worker?.stop();
    await this.#wal?.close();
    await this.#bus?.close();
    await this.#database.close();
    await this.#ops?.close();
  }

  #readiness(): { ok: boolean; reasons: string[] } {
    const reasons = this.#worker ? this.#worker.notReady() : [`waiting for ${this.#waitingFor ?? 'the first look at the log'}`];
    return { ok: reasons.length === 0, reasons };
  }

  #retried<T>(what: string, operation: () => Promise<T>, isRetryable = isAway): Promise<T> {
    return retry(operation, {
      what,
      signal: this.#starting.signal,
      logger: this.#logger,
      baseMs: retryBaseMs,
      maxMs: retryMaxMs,
      isRetryable,
    });
  }
}

const isAway = (error: unknown): boolean => error instanceof NatsUnreachable || error instanceof WalUnavailable;
const anyError = (): boolean => true;
