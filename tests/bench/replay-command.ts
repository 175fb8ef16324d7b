/**
 * `npm run bench:replay -- [--megabytes 256] [--log jetstream|sql]`: how fast a worker reads a slice of the log again, which is what a takeover takes.
 * Prints MB/s of the log for a bare reader, for a worker that gains every partition, and for one of four.
 */
import { parseArgs } from 'node:util';
import { InProcessBus } from '@weft/bus';
import { readConfig } from '@weft/config';
import { every } from '@weft/lifecycle';
import { encodeHeartbeat, ringSubject } from '@weft/protocol';
import { Database, Store } from '@weft/store';
import { createSyncWorker, type SyncWorker, workerSettings } from '@weft/sync-worker';
import { createLogger, Metrics } from '@weft/telemetry';
import { startNats, startPostgres, temporaryFolder } from '@weft/testkit';
import { JetStreamWal, SqlWal, type Wal } from '@weft/wal';
import { recordsOf } from './typing-records.ts';

const mib = 1024 * 1024;
const roundsEach = 3;
const logger = createLogger({ service: 'bench', level: 'warn' });

const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '256' }, log: { type: 'string', default: 'both' } } });
const bytesWanted = Number(values.megabytes) * mib;

interface FilledLog {
  readonly wal: Wal;
  readonly bytes: number;
  end(): Promise<void>;
}

/** Not synced while it is filled and read: writing is not what is measured. */
async function filledJetStream(): Promise<FilledLog> {
  const nats = await startNats({ syncAlways: false, storeDir: temporaryFolder('bench') });
  const wal = new JetStreamWal({ url: nats.url, name: 'bench', logger, bytesMax: 4 * bytesWanted });
  await wal.open();
  let bytes = 0;
  let batch: Promise<unknown>[] = [];
  for (const record of recordsOf(bytesWanted)) {
    bytes += record.byteLength;
    batch.push(wal.append(0, record));
    if (batch.length < 64) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
  return { wal, bytes, end: () => wal.close().then(() => nats.stop()) };
}

async function filledSql(url: string, database: Database): Promise<FilledLog> {
  const wal = new SqlWal({ url, logger, bytesMax: 4 * bytesWanted });
  await wal.open();
  let bytes = 0;
  let position = 0;
  let batch: Buffer[] = [];
  const flush = async (): Promise<void> => {
    await database.query(
      `INSERT INTO weft_log (slice, position, at, record) SELECT 0, $1 + n, clock_timestamp(), record FROM unnest($2::bytea[]) WITH ORDINALITY AS r (record, n)`,
      [position, batch],
    );
    position += batch.length;
    batch = [];
  };
  for (const record of recordsOf(bytesWanted)) {
    bytes += record.byteLength;
    batch.push(Buffer.from(record));
    if (batch.length === 500) await flush();
  }
  await flush();
  await database.query('UPDATE weft_log_slices SET last = $1, bytes = $2 WHERE slice = 0', [position, bytes]);
  return { wal, bytes, end: () => wal.close() };
}

async function readBare(wal: Wal): Promise<void> {
  const { identity, first, last } = await wal.state(0);
  const reader = wal.read(0, first, identity);
  for (let position = first - 1; position < last;) position = (await reader.next()).at(-1)!.position;
  await reader.close();
}

/** From the first look at the ring to an answer for every partition owned, without the half second a heartbeat takes. */
async function readAsWorker(wal: Wal, store: Store, workers: number): Promise<{ spent: Spent; owned: number }> {
  const bus = new InProcessBus({ logger });
  const stop = new AbortController();
  const speak = (): void => {
    for (let i = 1; i < workers; i++)
      bus.publish(
        ringSubject,
        encodeHeartbeat({ kind: 'heartbeat', role: 'worker', peer: { id: `w${i}`, incarnation: '1' }, draining: false, load: 0 }),
      );
  };
  const worker = createSyncWorker(
    { bus: bus.sibling(), wal, store, logger, metrics: new Metrics() },
    { ...readConfig(workerSettings, {}), id: 'w0' },
  );
  try {
    await worker.run();
    speak();
    void every(500, speak, stop.signal);
    await untilOwned(worker, (owned) => owned > 0);
    const begun = now();
    await untilOwned(worker, (owned, ready) => ready === owned);
    const spent = since(begun);
    const { slices } = await worker.ring();
    return { spent, owned: slices[0]!.owned.length };
  } finally {
    stop.abort();
    await worker.stop();
    await bus.close();
  }
}

async function untilOwned(worker: SyncWorker, holds: (owned: number, ready: number) => boolean): Promise<void> {
  for (;;) {
    const { owned, ready } = (await worker.ring()).slices[0]!;
    if (owned.length > 0 && holds(owned.length, ready.length)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** This process's own time: on a machine that is shared it says more than the clock. */
interface Spent {
  readonly ms: number;
  readonly cpuMs: number;
}

const now = (): { ms: number; cpu: NodeJS.CpuUsage } => ({ ms: performance.now(), cpu: process.cpuUsage() });

function since(begun: ReturnType<typeof now>): Spent {
  const { user, system } = process.cpuUsage(begun.cpu);
  return { ms: performance.now() - begun.ms, cpuMs: (user + system) / 1000 };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function measured(name: string, log: FilledLog, store: Store): Promise<void> {
  const say = (what: string, spent: readonly Spent[]): void => {
    const ms = median(spent.map((one) => one.ms));
    const cpuMs = median(spent.map((one) => one.cpuMs));
    const rate = (timeMs: number): number => Math.round(log.bytes / mib / (timeMs / 1000));
    process.stdout.write(
      `${name}: ${what}: ${Math.round(log.bytes / mib)} MiB in ${Math.round(ms)} ms, ${rate(ms)} MiB/s; ` +
        `${Math.round(cpuMs)} ms of CPU, ${rate(cpuMs)} MiB a second of CPU\n`,
    );
  };
  const bare: Spent[] = [];
  const whole: Spent[] = [];
  const quarter: Spent[] = [];
  let owned = 0;
  // In turns: the machine's mood meets all of them.
  for (let round = 0; round < roundsEach; round++) {
    const begun = now();
    await readBare(log.wal);
    bare.push(since(begun));
    whole.push((await readAsWorker(log.wal, store, 1)).spent);
    const share = await readAsWorker(log.wal, store, 4);
    quarter.push(share.spent);
    owned = share.owned;
  }
  say('a bare reader', bare);
  say('a worker that gains all 128 partitions', whole);
  say(`a worker that gains ${owned} of 128`, quarter);
}

const postgres = await startPostgres({ private: true });
const url = await postgres.newDatabase();
const database = new Database({ url, applicationName: 'bench' });
await database.migrate();
const store = new Store(database);
for (const [name, fill] of [
  ['jetstream', filledJetStream],
  ['sql', () => filledSql(url, database)],
] as const) {
  if (values.log !== 'both' && values.log !== name) continue;
  const log = await fill();
  await measured(name, log, store);
  await log.end();
}
await database.close();
await postgres.stop();
