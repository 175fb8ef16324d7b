import { readConfig } from '@weft/config';
import { createGateway, gatewaySettings } from '@weft/gateway';
import type { Service } from '@weft/lifecycle';
import { compactDocument, createPersistence, persistenceConfig, persistenceSettings } from '@weft/persistence';
import { completeDeletes, createSyncWorker, workerSettings } from '@weft/sync-worker';
import { createLogger, type Logger, Metrics } from '@weft/telemetry';
import { Random } from './random.ts';
import { RelayWatch } from './relay-watch.ts';
import { Scheduler } from './scheduler.ts';
import { SimNetwork } from './sim-bus.ts';
import { SimPort } from './sim-clients.ts';
import { SimLog } from './sim-log.ts';
import { SimProcess } from './sim-process.ts';
import { SimDatabase } from './sim-store.ts';

/** How large a house is and how it is set; drawn from the seed. Bytes and ms. */
export interface Layout {
  readonly gateways: number;
  readonly workers: number;
  readonly persistence: number;
  readonly slices: number;
  readonly partitions: number;
  readonly documents: readonly string[];
  readonly users: number;
  readonly ackAfter: 'log' | 'database';
  readonly payloadBytesMax: number;
  readonly recordBytesMax: number;
  readonly highWaterBytes: number;
  readonly unacknowledgedBytesMax: number;
  readonly documentIdleMs: number;
  readonly flushMs: number;
  readonly leaseMs: number;
  readonly keepMs: number;
  readonly tailRows: number;
}

export function layoutOf(seed: number): Layout {
  const random = new Random(seed, 'layout');
  return {
    gateways: 1 + random.int(3),
    workers: 1 + random.int(3),
    persistence: 1 + random.int(2),
    slices: 1 + random.int(2),
    partitions: random.pick([2, 4, 8]),
    documents: ['red', 'green', 'blue'].slice(0, 1 + random.int(3)),
    users: 2 + random.int(5),
    ackAfter: random.chance(0.2) ? 'database' : 'log',
    payloadBytesMax: random.pick([12_000, 64_000, 1_000_000]),
    recordBytesMax: random.pick([1_500, 6_000, 1_000_000]),
    highWaterBytes: random.pick([20_000, 1_000_000]),
    unacknowledgedBytesMax: random.pick([5_000, 30_000, 1_000_000]),
    documentIdleMs: random.pick([500, 5_000, 60_000]),
    flushMs: random.pick([50, 300, 1_000]),
    leaseMs: random.pick([600, 2_000]),
    keepMs: random.pick([0, 1_000, 20_000]),
    tailRows: random.pick([3, 20, 200]),
  };
}

type Kind = 'gateway' | 'sync-worker' | 'persistence';

/** A place a process runs in: it is started there again and again. */
export interface Place {
  readonly kind: Kind;
  readonly id: string;
  process: SimProcess | undefined;
  service: Service | undefined;
  port: SimPort | undefined;
  lives: number;
  isDraining: boolean;
}

/** The whole house on simulated ports: the services are the real ones, whole. */
export class SimHouse {
  readonly layout: Layout;
  readonly scheduler = new Scheduler();
  readonly network: SimNetwork;
  readonly log: SimLog;
  readonly database: SimDatabase;
  readonly places: readonly Place[];
  readonly relays: RelayWatch;
  readonly #seed: number;
  readonly #world: HouseWorld;

  constructor(seed: number, layout: Layout, world: HouseWorld) {
    this.#seed = seed;
    this.#world = world;
    this.layout = layout;
    const { scheduler } = this;
    this.relays = new RelayWatch((sentence) => world.violation(sentence));
    this.network = new SimNetwork({
      scheduler,
      random: new Random(seed, 'network'),
      payloadBytesMax: layout.payloadBytesMax,
      tap: (message) => this.relays.hear(message),
    });
    this.log = new SimLog({
      scheduler,
      random: new Random(seed, 'log'),
      slices: layout.slices,
      recordBytesMax: layout.recordBytesMax,
    });
    this.database = new SimDatabase({ scheduler, random: new Random(seed, 'database') });
    const of = (kind: Kind, letter: string, count: number): Place[] =>
      Array.from({ length: count }, (_, i) => ({
        kind,
        id: `${letter}${i}`,
        process: undefined,
        service: undefined,
        port: undefined,
        lives: 0,
        isDraining: false,
      }));
    this.places = [
      ...of('sync-worker', 'w', layout.workers),
      ...of('persistence', 'p', layout.persistence),
      ...of('gateway', 'g', layout.gateways),
    ];
  }

  get ports(): SimPort[] {
    return this.places.flatMap(({ port }) => (port?.isOpen ? [port] : []));
  }

  /** What is over its bound. */
  overBound(): string | undefined {
    const { slices, unacknowledgedBytesMax } = this.layout;
    for (const { port } of this.places) {
      if (!port) continue;
      // What its bookkeeping takes comes on top.
      const bytesMax = slices * (4 * Math.max(unacknowledgedBytesMax, port.frameBytesSeen) + 8_000);
      if (port.unacknowledgedBytes > bytesMax)
        return `${port.process.name} holds ${port.unacknowledgedBytes} bytes of edits, ${bytesMax} are the bound`;
    }
    return undefined;
  }

  start(place: Place): void {
    if (place.process?.isAlive) return;
    place.lives += 1;
    const name = `${place.id}.${place.lives}`;
    const random = new Random(this.#seed, name);
    const process: SimProcess = new SimProcess(name, {
      scheduler: this.scheduler,
      random,
      threw: (error) => this.#world.violation(`${name} threw: ${String(error instanceof Error ? error.stack : error)}`),
    });
    place.process = process;
    place.isDraining = false;
    const { service, port } = this.#make(place, process, random);
    place.service = service;
    place.port = port;
    this.#world.trace(`${name} starts`);
    process.run(() => {
      service.run().catch((error: unknown) => {
        if (process.isAlive) this.#world.violation(`${name} ended: ${String(error)}`);
      });
    });
  }

  /** kill -9 */
  kill(place: Place): void {
    if (!place.process?.isAlive) return;
    this.#world.trace(`${place.process.name} is killed`);
    place.process.kill();
    place.port?.cut();
    place.port = undefined;
  }

  /** SIGTERM; it is started again `awayMs` after it is gone. */
  drain(place: Place, awayMs: number): void {
    const { process, service } = place;
    if (!process?.isAlive || process.isStopped || !service || place.isDraining) return;
    place.isDraining = true;
    this.#world.trace(`${process.name} drains`);
    const end = async (): Promise<void> => {
      await service.drain();
      await service.stop();
      this.#world.trace(`${process.name} is gone`);
      process.kill();
      if (place.process !== process) return;
      place.port?.cut();
      place.port = undefined;
      this.scheduler.after(awayMs, () => this.start(place));
    };
    process.run(() => {
      end().catch((error: unknown) => {
        if (process.isAlive) this.#world.violation(`${process.name} did not end well: ${String(error)}`);
      });
    });
  }

  #make(place: Place, process: SimProcess, random: Random): { service: Service; port: SimPort | undefined } {
    const { layout } = this;
    const common = {
      bus: this.network.busOf(process),
      wal: this.log.walOf(process),
      logger: this.#logger(process.name),
      metrics: new Metrics(),
      clock: process.clock,
      incarnation: String(place.lives),
    };
    const shared = { partitions: layout.partitions, slices: layout.slices };
    const store = this.database.storeOf(process);
    switch (place.kind) {
      case 'gateway': {
        const defaults = readConfig(gatewaySettings, {});
        const port = new SimPort({
          process,
          scheduler: this.scheduler,
          random,
          unsentBytesMax: 8 * layout.highWaterBytes + 4 * defaults.frameBytesMax,
        });
        const service = createGateway(
          {
            ...common,
            clients: port,
            auth: {
              check: () =>
                process.settle(random.between(0.2, 5), () => ({
                  allowed: true,
                  role: 'editor',
                  who: { id: 'u', name: 'u' },
                  untilMs: Number.MAX_SAFE_INTEGER,
                })),
              forget: () => {},
            },
          },
          {
            ...defaults,
            ...shared,
            id: place.id,
            ackAfter: layout.ackAfter,
            highWaterBytes: layout.highWaterBytes,
            unacknowledgedBytesMax: layout.unacknowledgedBytesMax,
            drainMs: 500,
          },
        );
        return { service, port };
      }
      case 'sync-worker': {
        const config = {
          ...readConfig(workerSettings, {}),
          ...shared,
          id: place.id,
          documentIdleMs: layout.documentIdleMs,
          handoverMs: 5_000,
        };
        const complete = (updates: readonly Uint8Array[]): Promise<Uint8Array> =>
          process.settle(random.between(1, 50), () => completeDeletes(updates));
        return { service: createSyncWorker({ ...common, store, completeDeletes: complete }, config), port: undefined };
      }
      case 'persistence': {
        const settings = {
          ...readConfig(persistenceSettings, {}),
          slices: layout.slices,
          flushMs: layout.flushMs,
          leaseMs: layout.leaseMs,
          keepMs: layout.keepMs,
          tailRows: layout.tailRows,
          checkMs: 500,
        };
        const compact = (input: Parameters<typeof compactDocument>[0]): Promise<ReturnType<typeof compactDocument>> =>
          process.settle(random.between(1, 200), () => compactDocument(input));
        return { service: createPersistence({ ...common, store, compact }, persistenceConfig(place.id, settings)), port: undefined };
      }
    }
  }

  #logger(name: string): Logger {
    const write = (line: string): void => this.#world.logged(name, JSON.parse(line) as LogLine);
    return createLogger({ service: name, level: this.#world.logLevel, stream: { write } });
  }
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface HouseWorld {
  readonly logLevel: 'error' | 'debug';
  violation(sentence: string): void;
  trace(line: string): void;
  logged(process: string, line: LogLine): void;
}
