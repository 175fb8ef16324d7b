import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { platform } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSync } from 'node:child_process';
import { identityOf, isAlive, type ProcessIdentity, startEmbeddedPostgres, type EmbeddedPostgres } from '@weft/embedded-postgres';
import { createLogger } from '@weft/telemetry';
import { Client } from 'pg';
import { config } from './config.ts';
import { startInDocker } from './docker.ts';
import { untilFrozen } from './freeze.ts';
import { rememberPort, rememberProcess, temporaryFolder } from './leftovers.ts';
import { claimPort } from './port-claims.ts';
import { givenServer, type Server } from './server.ts';
import { reportServer } from './servers-used.ts';

const goneMs = 10_000;

export interface PostgresOptions {
  /** A server of the caller's own, which it may kill, pause and start again. Default: one server for the whole run of tests, a database each. */
  readonly private?: boolean;
  /** `postgresql.conf` settings; makes the server private. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where it keeps its data, default a temporary folder; makes the server private, and one of this machine's binaries. */
  readonly folder?: string;
}

export interface PostgresServer extends Server {
  /** Makes an empty database nobody else uses; gives its URL. */
  newDatabase(): Promise<string>;
}

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  if (options.folder !== undefined) return startOwnPostgres(options.settings ?? {}, options.folder);
  if (options.private !== true && options.settings === undefined) {
    if (config.postgresUrl !== undefined) return givenPostgres(config.postgresUrl);
    if (config.sharedServers !== undefined) return sharedPostgres(await askForShared(config.sharedServers));
  }
  return startPrivatePostgres(options.settings ?? {});
}

export async function startPrivatePostgres(settings: Readonly<Record<string, string>>): Promise<PostgresServer> {
  const contained = await postgresInDocker(settings);
  if (contained !== undefined) return { ...contained, newDatabase: () => newDatabase(contained.url) };
  return startOwnPostgres(settings);
}

function postgresInDocker(settings: Readonly<Record<string, string>>): Promise<Server | undefined> {
  const url = (port: number): string => `postgres://weft@127.0.0.1:${port}/weft`;
  return startInDocker({
    name: 'PostgreSQL',
    image: 'postgres:18-alpine',
    containerPort: 5432,
    command: [
      'postgres',
      ...Object.entries({ max_connections: '200', ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    environment: { POSTGRES_USER: 'weft', POSTGRES_DB: 'weft', POSTGRES_HOST_AUTH_METHOD: 'trust' },
    url,
    askVersion: (port) => askVersion(url(port)),
  });
}

async function startOwnPostgres(settings: Readonly<Record<string, string>>, dataFolder?: string): Promise<PostgresServer> {
  const port = await claimPort();
  rememberPort(port);
  const own = temporaryFolder('postgres');
  const folder = dataFolder ?? own;
  const start = (): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      folder,
      // Inside a folder of ours, so that it goes with it whatever happens.
      socketFolder: join(own, 'socket'),
      port,
      logger: createLogger({ service: 'test-postgres', level: 'silent' }),
      settings: { max_connections: '200', ...settings },
    });
  let running: EmbeddedPostgres | undefined = await start();
  const { version } = running;
  let forget = rememberProcess(running.pid);
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    if (running === undefined) return;
    const backends = how === 'kill' ? killBackends(running.pid) : [];
    signalAll(running.pid, 'SIGCONT');
    await running[how]();
    await untilGone(backends);
    forget();
    running = undefined;
  };
  const pid = (): number => {
    if (running === undefined) throw new Error('Postgres does not run');
    return running.pid;
  };
  reportServer('PostgreSQL', version, 'embedded-postgres');
  const url = `postgres://weft@127.0.0.1:${port}/weft`;
  return {
    url,
    version,
    get pid() {
      return running?.pid;
    },
    newDatabase: () => newDatabase(url),
    start: async () => {
      if (running !== undefined) throw new Error('Postgres runs already');
      running = await start();
      forget = rememberProcess(running.pid);
    },
    stop: () => end('stop'),
    kill: () => end('kill'),
    pause: async () => {
      signalAll(pid(), 'SIGSTOP');
      await untilFrozen([pid(), ...childrenOf(pid())]);
    },
    resume: () => signalAll(pid(), 'SIGCONT'),
  };
}

async function askForShared(address: string): Promise<string> {
  const response = await fetch(new URL('/postgres', address));
  const text = await response.text();
  if (!response.ok) throw new Error(`the shared Postgres did not start: ${text}`);
  return text;
}

async function givenPostgres(url: string): Promise<PostgresServer> {
  const server = await sharedPostgres(url);
  reportServer('PostgreSQL', server.version, 'given by WEFT_TEST_POSTGRES_URL');
  return server;
}

async function sharedPostgres(url: string): Promise<PostgresServer> {
  const server = givenServer(url, await askVersion(url), 'it is shared; ask for startPostgres({ private: true })');
  return { ...server, newDatabase: () => newDatabase(url) };
}

function askVersion(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    // `15.18 (Debian 15.18-0+deb12u1)`
    return rows[0]?.server_version.split(' ')[0] ?? 'unknown';
  });
}

async function newDatabase(url: string): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withClient(url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  const database = new URL(url);
  database.pathname = `/${name}`;
  return database.href;
}

async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Else they would finish, and answer, what they are at, after the postmaster's end. The postmaster stands still first and forks no more of them. */
function killBackends(postmaster: number): ProcessIdentity[] {
  process.kill(postmaster, 'SIGSTOP');
  const backends = childrenOf(postmaster)
    .map(identityOf)
    .filter((identity) => identity !== undefined);
  for (const { pid } of backends) sendSignal(pid, 'SIGKILL');
  return backends;
}

async function untilGone(processes: readonly ProcessIdentity[]): Promise<void> {
  for (const giveUpMs = performance.now() + goneMs; performance.now() < giveUpMs; await sleep(1)) {
    if (!processes.some(isAlive)) return;
  }
  throw new Error(`Postgres' processes ${processes.map(({ pid }) => pid).join(', ')} did not end within ${goneMs} ms of SIGKILL`);
}

/** The postmaster and its children: each is a session of its own, so there is no group to signal. Parents first, that none is born meanwhile. */
function signalAll(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
  for (const child of childrenOf(pid)) sendSignal(child, signal);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function childrenOf(pid: number): number[] {
  if (platform !== 'linux') return numbers(spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).stdout);
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => numbers(readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')));
}

function numbers(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
}
