import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Bus, NatsBus } from '@weft/bus';
import { type Environment, readConfig } from '@weft/config';
import { createGateway, type Gateway, gatewaySettings } from '@weft/gateway';
import type { Allowed } from '@weft/grants';
import { createPersistence, type PersistenceService, persistenceConfig, persistenceSettings } from '@weft/persistence';
import { Database, Store } from '@weft/store';
import { createSyncWorker, workerSettings } from '@weft/sync-worker';
import { createLogger, type Logger, Metrics } from '@weft/telemetry';
import { type NatsServer, startNats, startPostgres, temporaryFolder } from '@weft/testkit';
import { JetStreamWal, type Wal } from '@weft/wal';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import type { User, UserKind } from '../harness/users.ts';
import * as Y from 'yjs';
import { until } from '../limits/until.ts';

export interface NatsHouseOptions {
  readonly gateways?: number;
  /** Default none: what is in the log is nowhere else. */
  readonly persistence?: boolean;
  readonly logBytesMax?: number;
  readonly env?: Environment;
  /** Puts faults between a gateway, counted from 0, and NATS. */
  readonly logUrl?: (gateway: number, url: string) => Promise<string>;
  /** Puts faults between the worker and NATS. */
  readonly workerBus?: (real: Bus) => Bus;
}

const logBytesMaxDefault = 64 * 1024 * 1024;
const anybody: Allowed = { allowed: true, role: 'editor', who: { id: 'somebody', name: 'Somebody' }, untilMs: Number.MAX_SAFE_INTEGER };

/** Gateways, a worker and perhaps a persistence in this process, each with connections of its own to a real NATS that may be harmed in every way, and a real Postgres. */
export class NatsHouse {
  readonly nats: NatsServer;
  readonly storeDir: string;
  readonly store: Store;
  /** A look at the log of the test's own. */
  readonly wal: Wal;
  readonly #options: NatsHouseOptions;
  readonly #logger: Logger;
  readonly #lines: string[];
  readonly #undo: (() => Promise<unknown> | void)[] = [];
  readonly #gateways: Gateway[] = [];
  #persistence: PersistenceService | undefined;

  private constructor(
    parts: { nats: NatsServer; storeDir: string; store: Store; logger: Logger; lines: string[] },
    options: NatsHouseOptions,
  ) {
    this.nats = parts.nats;
    this.storeDir = parts.storeDir;
    this.store = parts.store;
    this.#logger = parts.logger;
    this.#lines = parts.lines;
    this.#options = options;
    this.wal = this.#walAt(this.nats.url);
  }

  static async start(options: NatsHouseOptions = {}): Promise<NatsHouse> {
    const lines: string[] = [];
    const logger = createLogger({ service: 'house', level: 'debug', stream: { write: (line) => void lines.push(line) } });
    const storeDir = join(temporaryFolder('faults'), 'store');
    const [nats, postgres] = await Promise.all([startNats({ storeDir, configText: '# private' }), startPostgres()]);
    const database = new Database({ url: await postgres.newDatabase(), applicationName: 'faults' });
    await database.migrate();
    const house = new NatsHouse({ nats, storeDir, store: new Store(database), logger, lines }, options);
    house.#undo.push(
      () => nats.kill(),
      () => database.close(),
    );
    await house.wal.open();
    await house.#startWorker();
    if (options.persistence === true) await house.startPersistence();
    for (let i = 0; i < (options.gateways ?? 2); i++) await house.#startGateway(i);
    await until(() => house.#gateways.every((gateway) => gateway.notReady().length === 0), 'the gateways are ready');
    return house;
  }

  async startPersistence(): Promise<void> {
    const persistence = createPersistence(
      { wal: await this.#openWal(this.nats.url), store: this.store, logger: this.#logger, metrics: new Metrics() },
      persistenceConfig('p', readConfig(persistenceSettings, { WEFT_FLUSH_MS: '100ms', ...this.#options.env })),
    );
    this.#persistence = persistence;
    await persistence.run();
  }

  async stopPersistence(): Promise<void> {
    await this.#persistence?.drain();
    await this.#persistence?.stop();
    this.#persistence = undefined;
  }

  /** Somebody who writes down what was acknowledged, synced. */
  async writer(name: string, kind: UserKind, gateway: number, document: string): Promise<LedgerWriter> {
    const { port } = this.#gateways[gateway]!;
    const options = { kind, name, url: `ws://127.0.0.1:${port}`, document, token: 'any' };
    const writer = new LedgerWriter(options, randomFrom(printedSeed(name)));
    this.#undo.push(() => writer.user.leave());
    await writer.user.untilSynced();
    return writer;
  }

  /** Somebody new, who has what the house has, and only that. */
  async newcomer(gateway: number, document: string): Promise<User> {
    return (await this.writer(`newcomer-${this.#undo.length}`, 'hocuspocus-4', gateway, document)).user;
  }

  /** The document as Postgres alone has it. */
  async storedDocument(document: string): Promise<Y.Doc> {
    const { snapshot, tail } = await this.store.loadDocument(document, 0);
    const doc = new Y.Doc();
    for (const update of [...snapshot.pieces, ...tail]) Y.applyUpdate(doc, update);
    return doc;
  }

  /** As an administrator of NATS. */
  async managed<T>(work: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    const connection = await connect({ servers: this.nats.url });
    try {
      return await work(await jetstreamManager(connection));
    } finally {
      await connection.close();
    }
  }

  /** NATS is killed, loses its disk, and comes back. `with`: what is put there instead. */
  async wipeNats(put: (storeDir: string) => Promise<void> = async () => {}): Promise<void> {
    await this.nats.kill();
    await rm(this.storeDir, { recursive: true });
    await put(this.storeDir);
    await this.nats.start();
  }

  /** How often something was logged. */
  logged(words: string): number {
    return this.#lines.filter((line) => line.includes(words)).length;
  }

  /** The warnings and worse, and what happened last; for a test that failed. */
  report(): string {
    const worse = this.#lines.filter((line) => !/"level":"(debug|info)"/.test(line));
    return [...worse.slice(-20), '---', ...this.#lines.slice(-40)].join('');
  }

  async stop(): Promise<void> {
    await this.stopPersistence();
    for (const undo of this.#undo.toReversed()) await undo();
  }

  async #startWorker(): Promise<void> {
    const bus = await this.#bus();
    const wal = await this.#openWal(this.nats.url);
    const worker = createSyncWorker(
      { bus: this.#options.workerBus?.(bus) ?? bus, wal, store: this.store, logger: this.#logger, metrics: new Metrics() },
      { ...readConfig(workerSettings, {}), id: 'w0' },
    );
    this.#undo.push(() => worker.stop());
    await worker.run();
  }

  async #startGateway(i: number): Promise<void> {
    const wal = await this.#openWal((await this.#options.logUrl?.(i, this.nats.url)) ?? this.nats.url);
    const gateway = createGateway(
      {
        bus: await this.#bus(),
        wal,
        auth: { check: () => Promise.resolve(anybody), forget: () => {} },
        logger: this.#logger,
        metrics: new Metrics(),
      },
      { ...readConfig(gatewaySettings, { WEFT_PORT: '0', WEFT_HOST: '127.0.0.1', WEFT_DRAIN: '0ms', ...this.#options.env }), id: `g${i}` },
    );
    this.#gateways.push(gateway);
    this.#undo.push(() => gateway.stop());
    await gateway.run();
  }

  async #bus(): Promise<NatsBus> {
    const bus = await NatsBus.connect({ url: this.nats.url, name: 'faults', logger: this.#logger });
    this.#undo.push(() => bus.close());
    return bus;
  }

  async #openWal(url: string): Promise<Wal> {
    const wal = this.#walAt(url);
    await wal.open();
    return wal;
  }

  #walAt(url: string): JetStreamWal {
    const { logBytesMax: bytesMax = logBytesMaxDefault } = this.#options;
    const wal = new JetStreamWal({ url, name: 'faults', logger: this.#logger, bytesMax, timeoutMs: 1_000 });
    this.#undo.push(() => wal.close());
    return wal;
  }
}
