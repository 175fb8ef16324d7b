import { createAuth, type AuthService, givenKeys, importSigningKey } from '@weft/auth';
import { type Bus, InProcessBus } from '@weft/bus';
import type { Cache } from '@weft/cache';
import { type Environment, readConfig } from '@weft/config';
import { createGateway, type Gateway, gatewaySettings } from '@weft/gateway';
import { AuthClient } from '@weft/grants';
import { createPersistence, persistenceConfig, persistenceSettings } from '@weft/persistence';
import { Database, Store } from '@weft/store';
import { createSyncWorker, workerSettings } from '@weft/sync-worker';
import { createLogger, type Logger, Metrics } from '@weft/telemetry';
import { startPostgres } from '@weft/testkit';
import { decodeRecord, PieceAssembler, SqlWal, type Wal } from '@weft/wal';
import { Signer } from './signer.ts';
import { until } from './until.ts';

const authTimeoutMs = 500;

/** A whole house in one process: real Postgres, the log in it, and every service with its own edges. Gateways are added as a test needs them, each with its settings. */
export class House {
  readonly signer = new Signer('house');
  readonly store: Store;
  readonly #wal: SqlWal;
  readonly #bus: NewBus;
  readonly #logger: Logger;
  readonly #lines: LogLine[];
  readonly #undo: (() => Promise<unknown>)[];
  #auth: AuthService | undefined;
  #gateways = 0;

  private constructor(parts: {
    store: Store;
    wal: SqlWal;
    bus: NewBus;
    logger: Logger;
    lines: LogLine[];
    undo: (() => Promise<unknown>)[];
  }) {
    this.store = parts.store;
    this.#wal = parts.wal;
    this.#bus = parts.bus;
    this.#logger = parts.logger;
    this.#lines = parts.lines;
    this.#undo = parts.undo;
  }

  /** `bus`: over what the services speak, each with an end of its own; in this process unless given. Without `auth` whoever started it answers its questions. */
  static async start({
    workers = 1,
    auth = true,
    bus,
  }: { readonly workers?: number; readonly auth?: boolean; readonly bus?: (logger: Logger) => Promise<NewBus> } = {}): Promise<House> {
    const lines: LogLine[] = [];
    const logger = createLogger({
      service: 'house',
      level: 'debug',
      stream: { write: (line) => void lines.push(JSON.parse(line) as LogLine) },
    });
    const undo: (() => Promise<unknown>)[] = [];
    const url = await (await startPostgres()).newDatabase();
    const database = new Database({ url, applicationName: 'limits' });
    undo.push(() => database.close());
    await database.migrate();
    const wal = new SqlWal({ url, logger });
    undo.push(() => wal.close());
    await wal.open();
    const newBus = bus ? await bus(logger) : inProcess(logger, undo);
    const store = new Store(database);
    const house = new House({ store, wal, bus: newBus, logger, lines, undo });
    const persistence = createPersistence(
      { wal, store, logger, metrics: new Metrics() },
      persistenceConfig('p', readConfig(persistenceSettings, {})),
    );
    undo.push(() => persistence.drain().then(() => persistence.stop()));
    await persistence.run();
    for (let i = 0; i < workers; i++) {
      const worker = createSyncWorker(
        { bus: await newBus(), wal, store, logger, metrics: new Metrics() },
        { ...readConfig(workerSettings, {}), id: `w${i}` },
      );
      undo.push(() => worker.stop());
      await worker.run();
    }
    if (auth) await house.startAuth();
    return house;
  }

  /** `env` overrides settings; `wal` may put faults between the gateway and the log; `cache`: of all gateways that are given it. */
  async gateway(
    env: Environment = {},
    { wal = (real: Wal) => real, cache }: { readonly wal?: (real: Wal) => Wal; readonly cache?: Cache } = {},
  ): Promise<Gateway> {
    const auth = new AuthClient(await this.#bus(), { timeoutMs: authTimeoutMs });
    const gateway = createGateway(
      {
        bus: await this.#bus(),
        wal: wal(this.#wal),
        auth,
        ...(cache ? { cache } : {}),
        logger: this.#logger,
        metrics: new Metrics(),
      },
      { ...readConfig(gatewaySettings, { WEFT_PORT: '0', WEFT_HOST: '127.0.0.1', WEFT_DRAIN: '0ms', ...env }), id: `g${this.#gateways++}` },
    );
    this.#undo.push(() => gateway.stop());
    await gateway.run();
    await until(() => gateway.notReady().length === 0, 'the gateway is ready');
    return gateway;
  }

  /** An end of the bus of its own. */
  bus(): Promise<Bus> {
    return this.#bus();
  }

  async startAuth(): Promise<void> {
    const keys = givenKeys(await importSigningKey(this.signer.jwk));
    const auth = createAuth(
      { bus: await this.#bus(), keys, logger: this.#logger, metrics: new Metrics() },
      { guests: 'edit', devSignIn: false, tokenLifetimeMs: 60_000 },
    );
    await auth.run();
    this.#auth = auth;
  }

  async stopAuth(): Promise<void> {
    await this.#auth?.stop();
    this.#auth = undefined;
  }

  /** Every update of the document that the log holds, in order. */
  async logged(document: string): Promise<Uint8Array[]> {
    const { identity, first, last } = await this.#wal.state(0);
    const updates: Uint8Array[] = [];
    const pieces = new PieceAssembler(() => {});
    const reader = this.#wal.read(0, first, identity);
    try {
      for (let at = first - 1; at < last;) {
        for (const { position, atMs, bytes } of await reader.next()) {
          at = position;
          const { origin, entries } = decodeRecord(bytes);
          for (const { document: name, payload } of entries) {
            const whole = payload.kind === 'update' ? payload.update : pieces.add({ origin, document: name, position, atMs }, payload);
            if (whole && name === document) updates.push(whole);
          }
        }
      }
    } finally {
      await reader.close();
    }
    return updates;
  }

  /** What the services logged as a warning or worse. */
  complaints(): string[] {
    return this.#lines
      .filter(({ level }) => level === 'warn' || level === 'error' || level === 'fatal')
      .map((line) => JSON.stringify(line));
  }

  /** How often a service logged this event. */
  count(event: string): number {
    return this.#lines.filter(({ msg }) => msg === event).length;
  }

  async stop(): Promise<void> {
    await this.stopAuth();
    for (const undo of this.#undo.toReversed()) await undo();
  }
}

/** An end of the bus. */
export type NewBus = () => Promise<Bus>;

function inProcess(logger: Logger, undo: (() => Promise<unknown>)[]): NewBus {
  const bus = new InProcessBus({ logger });
  undo.push(() => bus.close());
  return () => Promise.resolve(bus.sibling());
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
}
