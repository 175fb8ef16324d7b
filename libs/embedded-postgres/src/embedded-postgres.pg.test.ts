import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@weft/telemetry';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FolderInUse, startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './index.ts';
import { identityOf } from './process-facts.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const root = mkdtempSync(join(tmpdir(), 'weft-embedded-postgres-'));
const folder = join(root, 'one');
const running: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ folder, logger, ...options });
  running.push(postgres);
  return postgres;
}

async function ask(postgres: Pick<EmbeddedPostgres, 'url'>, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  const postgres = await start();
  await ask(postgres, 'CREATE TABLE kept (n int)');
  await postgres.stop();
});
afterEach(async () => {
  for (const postgres of running.splice(0)) await postgres.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  // The last owner was killed: taking over once more sweeps what it left.
  await (await startEmbeddedPostgres({ folder, logger })).stop();
  chmodSync(root, 0o700);
  rmSync(root, { recursive: true, force: true });
});

test('[EP1] a first start that was cut short is made anew', async () => {
  const half = join(root, 'half');
  mkdirSync(join(half, 'data.new'), { recursive: true });
  writeFileSync(join(half, 'data.new', 'PG_VERSION'), '18\n');
  expect(await ask(await start({ folder: half }), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(existsSync(join(half, 'data.new'))).toBe(false);
});

test('[EP2][EP3][EP10] a private socket, no TCP, fsync on, the same locale everywhere', async () => {
  const postgres = await start();
  const [row] = await ask(
    postgres,
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS commit,
            current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS socket, d.datlocprovider AS provider, d.datlocale AS locale,
            pg_encoding_to_char(d.encoding) AS encoding, 'Ä' ~* 'ä' AS folds
       FROM pg_database d WHERE datname = current_database()`,
  );
  expect(row).toMatchObject({
    fsync: 'on',
    pages: 'on',
    commit: 'on',
    tcp: '',
    provider: 'b',
    locale: 'C.UTF-8',
    encoding: 'UTF8',
    folds: true,
  });
  expect(statSync(String(row?.['socket'])).mode & 0o777).toBe(0o700);
  expect(postgres.version).toMatch(/^18\./);
});

test('[EP2] TCP on loopback when a port is given, and settings over our own', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await start({ port, settings: { max_connections: '17' } });
  expect(await ask({ url: `postgres://weft@127.0.0.1:${port}/weft` }, 'SHOW max_connections')).toEqual([{ max_connections: '17' }]);
});

test('[EP4] a folder in use is refused with a sentence, by this and by another process', async () => {
  const postgres = await start();
  await expect(start()).rejects.toThrow(FolderInUse);
  await expect(start()).rejects.toThrow(`is in use by process ${process.pid}: stop that one, or choose another folder`);
  expect(await ask(postgres, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await postgres.stop();

  const owner = await startOwner();
  await expect(start()).rejects.toThrow(`is in use by process ${owner.child.pid}`);
  expect(await ask(owner, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('[EP5][EP8][EP9] after a kill -9 of the owner the next start takes over, quickly, with every committed row', async () => {
  const owner = await startOwner();
  await ask(owner, 'INSERT INTO kept SELECT generate_series(1, 100)');
  // Stopped, so that neither its death signal nor anything else ends it before we look.
  process.kill(owner.pid, 'SIGSTOP');
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  expect(identityOf(owner.pid)).toBeDefined();
  process.kill(owner.pid, 'SIGCONT');
  const beginMs = performance.now();
  const postgres = await start();
  // Well below the 60 s a hanging takeover would take, with room for a busy machine.
  expect(performance.now() - beginMs).toBeLessThan(5000);
  expect(identityOf(owner.pid)).toBeUndefined();
  expect(await ask(postgres, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 100 }]);
});

test('[EP6] a lock file left behind is cleared, whoever has its number now', async () => {
  const lockFile = join(folder, 'data', 'postmaster.pid');
  for (const pid of [process.pid, 2 ** 22 + 1]) {
    writeFileSync(lockFile, `${pid}\n${join(folder, 'data')}\n1\n5432\n/nowhere\n\n  1234 5678\nready   \n`);
    const postgres = await start();
    expect(readFileSync(lockFile, 'utf8').split('\n')[0]).toBe(String(postgres.pid));
    await postgres.stop();
  }
});

test.runIf(process.getuid?.() === 0)('[EP7] as root another user runs it, also in a folder closed to that user', async () => {
  const closed = join(root, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const postgres = await start({ folder: join(closed, 'deep', 'postgres') });
  expect(await ask(postgres, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(statSync(`/proc/${postgres.pid}`).uid).not.toBe(0);
});

test.runIf(process.getuid?.() === 0)('[EP7] a socket below a folder closed to that user is reached too', async () => {
  // The way to the data is open: nothing else asks for help.
  chmodSync(root, 0o755);
  const closed = join(root, 'closed-tmp');
  mkdirSync(closed, { mode: 0o700 });
  const postgres = await start({ socketFolder: join(closed, 'socket') });
  expect(await ask(postgres, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('[EP8] stop and kill leave no process and no socket; rows survive; the second start is quick', async () => {
  const startsMs: number[] = [];
  for (const end of ['stop', 'kill', 'stop', 'kill'] as const) {
    const beginMs = performance.now();
    const postgres = await start();
    startsMs.push(performance.now() - beginMs);
    await ask(postgres, 'CREATE TABLE IF NOT EXISTS ends (name text)');
    await ask(postgres, `INSERT INTO ends VALUES ('${end}')`);
    await postgres[end]();
    expect(identityOf(postgres.pid)).toBeUndefined();
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('weft-pg-') && postgres.url.includes(name))).toEqual([]);
  }
  expect(await ask(await start(), 'SELECT name FROM ends ORDER BY 1')).toEqual(['kill', 'kill', 'stop', 'stop'].map((name) => ({ name })));
  // The best of them: other tests share the cores.
  expect(Math.min(...startsMs)).toBeLessThan(1000);
});

test('[EP8] stop does not wait for idle connections', async () => {
  const postgres = await start();
  const client = new Client({ connectionString: postgres.url });
  client.on('error', () => 'the server went away: expected');
  await client.connect();
  await postgres.stop();
  await client.end().catch(() => 'gone');
});

interface Owner {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
}

async function startOwner(): Promise<Owner> {
  const fixture = fileURLToPath(new URL('./owner.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=weft-source', '--import', 'tsx', fixture, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { pid: number; url: string }) };
}
