import { Database, Store } from '@weft/store';
import { createLogger, Metrics } from '@weft/telemetry';
import { type PostgresOptions, type PostgresServer, startPostgres } from '@weft/testkit';
import { encodeRecord, type RecordEntry, SqlWal, type Wal } from '@weft/wal';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import * as Y from 'yjs';
import { createPersistence, type PersistenceConfig, type PersistenceService } from './service.ts';

/** Quick windows; compaction only where a test asks for it. */
export const quick: PersistenceConfig = {
  slices: 1,
  id: 'test',
  session: { flushMs: 20, flushBytes: 8 << 20, keepMs: 60_000, leaseMs: 600 },
  compaction: {
    tailBytes: 1 << 30,
    tailRows: 1 << 30,
    oldMs: 1 << 30,
    oldRows: 1 << 30,
    checkMs: 20,
    timeoutMs: 60_000,
    heapBytes: 2 ** 31,
  },
};

export interface House {
  readonly url: string;
  readonly database: Database;
  readonly store: Store;
  readonly wal: Wal;
  readonly logged: { readonly level: string; readonly msg: string; readonly [field: string]: unknown }[];
  /** Appends one record with these updates, as a gateway would. Gives its position. */
  append(...entries: readonly (readonly [document: string, update: Uint8Array])[]): Promise<number>;
  appendEntries(entries: readonly RecordEntry[], origin?: string): Promise<number>;
  /** Running; stopped at the end of the test. */
  start(change?: PartialConfig, deps?: { store?: Store; wal?: Wal }): Promise<PersistenceService & { readonly metrics: Metrics }>;
  /** Resolves once the stored floor has reached `position`. */
  floorAt(position: number, slice?: number): Promise<void>;
  /** The document as anybody would load it. */
  load(document: string): Promise<Y.Doc>;
}

export type PartialConfig = { readonly [K in keyof PersistenceConfig]?: Partial<PersistenceConfig[K]> };

let serial = 0;

/** A real Postgres for a test file, and in it for each call a database of its own with a log and a schema. */
export function useHouses(options: PostgresOptions = {}): { newHouse(): Promise<House>; postgres(): PostgresServer } {
  let postgres: PostgresServer;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => void (postgres = await startPostgres(options)));
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
    await postgres.stop();
  });
  return { newHouse: async () => makeHouse(await postgres.newDatabase(), (close) => closing.push(close)), postgres: () => postgres };
}

async function makeHouse(url: string, atEnd: (close: () => Promise<void>) => void): Promise<House> {
  const logged: House['logged'] = [];
  const stream = { write: (line: string) => void logged.push(JSON.parse(line) as House['logged'][number]) };
  const logger = createLogger({ service: 'persistence', level: 'debug', stream });
  const database = new Database({ url, applicationName: 'test' });
  atEnd(() => database.close());
  await database.migrate();
  const store = new Store(database);
  const wal = new SqlWal({ url, logger, slices: 4 });
  atEnd(() => wal.close());
  await wal.open();

  const appendEntries: House['appendEntries'] = async (entries, origin = 'gateway/1') =>
    (await wal.append(0, encodeRecord({ origin, sequence: ++serial, entries }))).position;
  return {
    url,
    database,
    store,
    wal,
    logged,
    appendEntries,
    append: (...entries) =>
      appendEntries(entries.map(([document, update]) => ({ partition: 0, document, payload: { kind: 'update', update } }))),
    start: async (change = {}, deps = {}) => {
      const metrics = new Metrics();
      const service = createPersistence({ wal, store, logger, metrics, ...deps }, merged(change));
      onTestFinished(() => service.stop());
      await service.run();
      return Object.assign(service, { metrics });
    },
    floorAt: (position, slice = 0) =>
      new Promise((resolve) => {
        const stop = wal.onFloor(slice, (floor) => {
          if (floor.position < position) return;
          stop();
          resolve();
        });
      }),
    load: async (document) => docOf(await store.loadDocument(document, 0)),
  };
}

function merged(change: PartialConfig): PersistenceConfig {
  return {
    ...quick,
    ...change,
    session: { ...quick.session, ...change.session },
    compaction: { ...quick.compaction, ...change.compaction },
  };
}

export function docOf({ snapshot, tail }: { snapshot: { pieces: readonly Uint8Array[] }; tail: readonly Uint8Array[] }): Y.Doc {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (const piece of snapshot.pieces) Y.applyUpdate(doc, piece);
  });
  for (const update of tail) Y.applyUpdate(doc, update);
  return doc;
}
