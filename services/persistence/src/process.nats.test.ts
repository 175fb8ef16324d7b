import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Database, Store } from '@weft/store';
import { createLogger } from '@weft/telemetry';
import { claimPort, type NatsServer, type PostgresServer, rememberProcess, startNats, startPostgres } from '@weft/testkit';
import { encodeRecord, JetStreamWal } from '@weft/wal';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { docOf } from './test-house.test-data.ts';
import { typist } from './typist.test-data.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
let nats: NatsServer;
let postgres: PostgresServer;
beforeAll(async () => {
  // Its own: streams have one name in all of NATS.
  [nats, postgres] = await Promise.all([startNats({ configText: '# private' }), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([nats.stop(), postgres.stop()]);
});

interface Process {
  readonly child: ChildProcess;
  readonly output: () => string;
  ready(): Promise<{ status: number; body: string }>;
}

async function launch(env: Record<string, string>): Promise<Process> {
  const opsPort = await claimPort();
  const child = spawn(process.execPath, ['--conditions=weft-source', '--import', 'tsx', main], {
    env: {
      ...process.env,
      WEFT_OPS_PORT: String(opsPort),
      WEFT_OPS_HOST: '127.0.0.1',
      WEFT_FLUSH_MS: '50ms',
      WEFT_LOG_BYTES_MAX: '64MiB',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const forget = child.pid === undefined ? () => undefined : rememberProcess(child.pid);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    forget();
  });
  const ready = async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${opsPort}/readyz`);
      return { status: response.status, body: await response.text() };
    } catch {
      return { status: 0, body: child.exitCode === null ? 'nobody listens yet' : said };
    }
  };
  return { child, output: () => said, ready };
}

async function newStore() {
  const url = await postgres.newDatabase();
  const database = new Database({ url, applicationName: 'test' });
  onTestFinished(() => database.close());
  return { url, store: new Store(database) };
}

async function openLog() {
  const wal = new JetStreamWal({
    url: nats.url,
    name: 'test',
    bytesMax: 64 << 20,
    logger: createLogger({ service: 'test', level: 'silent' }),
  });
  onTestFinished(() => wal.close());
  await wal.open();
  return wal;
}

test(
  '[PE12][PE17] from JetStream to Postgres as a process; kill -9 in the middle and SIGTERM lose nothing',
  { timeout: 60_000 },
  async () => {
    const { url, store } = await newStore();
    const env = { WEFT_NATS_URL: nats.url, WEFT_POSTGRES_URL: url, WEFT_LEASE_MS: '1s' };
    const wal = await openLog();
    const { type } = typist();
    let sequence = 0;
    const append = async (): Promise<number> => {
      const payload = { kind: 'update', update: type() } as const;
      return (
        await wal.append(0, encodeRecord({ origin: 'g/1', sequence: ++sequence, entries: [{ partition: 0, document: 'a', payload }] }))
      ).position;
    };
    const first = await launch(env);
    await expect.poll(first.ready, { timeout: 20_000 }).toMatchObject({ status: 200 });
    for (let i = 0; i < 60; i++) await append();
    first.child.kill('SIGKILL');
    for (let i = 0; i < 60; i++) await append();
    const second = await launch(env);
    let last = 0;
    await expect.poll(second.ready, { timeout: 20_000 }).toMatchObject({ status: 200 });
    for (let i = 0; i < 60; i++) last = await append();
    await expect.poll(() => store.floor(0), { timeout: 20_000 }).toMatchObject({ position: last });
    await append();
    second.child.kill('SIGTERM');
    const [code] = (await once(second.child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(docOf(await store.loadDocument('a', 0)).getText('t').length).toBeGreaterThanOrEqual(180);
    expect(await store.takeLease(0, { holder: 'next', leaseMs: 1 })).toBe(true);
  },
);

test(
  '[PE17] without Postgres and NATS it says what it waits for, is not ready, and goes on when they come',
  { timeout: 60_000 },
  async () => {
    const own = await startNats({ configText: '# comes later' });
    onTestFinished(() => own.stop());
    await own.stop();
    const server = await startPostgres({ private: true });
    onTestFinished(() => server.stop());
    await server.stop();
    const { ready, output, child } = await launch({ WEFT_NATS_URL: own.url, WEFT_POSTGRES_URL: server.url });
    await expect.poll(ready, { timeout: 20_000 }).toMatchObject({ status: 503, body: expect.stringContaining('waiting for Postgres') });
    await expect.poll(output, { timeout: 20_000 }).toContain('migrate the schema of Postgres');
    await server.start();
    await expect.poll(ready, { timeout: 20_000 }).toMatchObject({ status: 503, body: expect.stringContaining('waiting for the log') });
    await own.start();
    await expect.poll(ready, { timeout: 30_000 }).toMatchObject({ status: 200 });
    expect(child.exitCode).toBeNull();
  },
);

test('[PE17] a missing setting is one line that names it', { timeout: 30_000 }, async () => {
  const { child, output } = await launch({ WEFT_NATS_URL: 'nats://127.0.0.1:1', WEFT_POSTGRES_URL: '' });
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(1);
  expect(output().trim().split('\n')).toHaveLength(1);
  expect(output()).toContain('WEFT_POSTGRES_URL');
});
