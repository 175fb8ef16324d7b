import { execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@weft/telemetry';
import { findBinaries, type Binaries } from './binaries.ts';
import { lockFolder } from './folder-lock.ts';
import { DATABASE, initialise, USER } from './initialise.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { syncFoldersUp } from './sync-folder.ts';
import { chooseRunAs, giveTo, makeLauncher, type Launcher } from './run-as.ts';
import { makeSocketFolder, wayToSocketFolder } from './socket-folder.ts';
import { takeOver } from './take-over.ts';

export interface EmbeddedPostgresOptions {
  /** Holds the database cluster and who owns it. Made when missing. */
  readonly folder: string;
  readonly logger: Logger;
  /** `postgresql.conf` settings, over our own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where the socket lies; default a new private folder. A given one keeps `url` the same over restarts; it must be short (a socket's path has at most about 100 bytes). */
  readonly socketFolder?: string;
  /** Also listen on 127.0.0.1, for tests: whoever reaches the port is let in. Default: the socket only. */
  readonly port?: number;
}

export interface EmbeddedPostgres {
  /** For `pg`: through the socket. */
  readonly url: string;
  readonly pid: number;
  /** `18.4` */
  readonly version: string;
  /** Resolves when Postgres is gone, asked for or not, with how it ended. */
  readonly ended: Promise<string>;
  /** Clean shutdown: open connections are closed, commits under way end or roll back. */
  stop(): Promise<void>;
  /** SIGKILL. The next start recovers from Postgres' own log. */
  kill(): Promise<void>;
}

const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  max_connections: '60',
  shared_buffers: '64MB',
  // No replicas, no base backups: the log carries what crash recovery needs and no more.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '512MB',
  checkpoint_timeout: '5min',
  jit: 'off',
  huge_pages: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
};

const READY_MS = 60_000;
const STOP_MS = 15_000;
const POLL_MS = 5;
/** After a kill -9 the backends need a moment to see that their postmaster is gone; until then a new one refuses the shared memory. */
const SHARED_MEMORY_WAIT_MS = 5000;
const LOG_LINES_KEPT = 20;

/** Rejects with `FolderInUse`, or with a sentence and Postgres' last words when it cannot start. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const firstMade = mkdirSync(options.folder, { recursive: true });
  const folder = realpathSync(options.folder);
  if (firstMade !== undefined) syncFoldersUp(folder, dirname(realpathSync(firstMade)));
  const release = lockFolder(folder);
  try {
    return await startLocked(folder, options, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function startLocked(folder: string, options: EmbeddedPostgresOptions, release: () => void): Promise<EmbeddedPostgres> {
  const { logger } = options;
  const dataFolder = join(folder, 'data');
  const binaries = findBinaries();
  const runAs = chooseRunAs(dataFolder);
  giveTo(folder, runAs);
  const launcher = makeLauncher(runAs, [folder, dirname(binaries.postgres), wayToSocketFolder(options.socketFolder)]);
  await initialise({ dataFolder, binaries, launcher, runAs, logger });
  await takeOver(dataFolder, logger);
  const socketFolder = makeSocketFolder(folder, options.socketFolder, runAs);
  const command = { launcher, binaries, dataFolder, socketFolder, options };
  const child = await startPostmaster(command);
  const ended = once(child, 'exit').then((exit) => {
    const [code, signal] = exit as [number | null, NodeJS.Signals | null];
    release();
    rmSync(socketFolder, { recursive: true, force: true });
    return signal ?? `code ${code}`;
  });
  const pid = child.pid ?? 0;
  return {
    url: `postgres://${USER}@localhost/${DATABASE}?host=${encodeURIComponent(socketFolder)}`,
    pid,
    version: versionOf(binaries),
    ended,
    stop: () => endPostmaster(child, ended, logger),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

interface PostmasterCommand {
  readonly launcher: Launcher;
  readonly binaries: Binaries;
  readonly dataFolder: string;
  readonly socketFolder: string;
  readonly options: EmbeddedPostgresOptions;
}

async function startPostmaster(command: PostmasterCommand): Promise<ChildProcess> {
  const giveUpMs = performance.now() + SHARED_MEMORY_WAIT_MS;
  for (;;) {
    const child = spawnPostmaster(command);
    const words = followLog(child, command.options.logger);
    const outcome = await untilReady(child, command.dataFolder);
    if (outcome === 'ready') return child;
    const said = words.join('\n');
    if (!said.includes('shared memory block') || performance.now() > giveUpMs) {
      throw new Error(`Postgres did not start in ${command.dataFolder} (${outcome}): ${said}`);
    }
    await sleep(50);
  }
}

function spawnPostmaster({ launcher, binaries, dataFolder, socketFolder, options }: PostmasterCommand): ChildProcess {
  const settings = {
    ...SETTINGS,
    listen_addresses: options.port === undefined ? '' : '127.0.0.1',
    port: String(options.port ?? 5432),
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return launcher.launch(binaries.postgres, ['-D', dataFolder, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A session of its own: Ctrl-C in the terminal is for us, not for Postgres ([EP9]).
    detached: true,
    signalOnParentDeath: 'INT',
    cwd: tmpdir(),
    env: { LC_ALL: 'C', TZ: 'UTC' },
  });
}

/** Postgres' lines go to the logger at their own severity; the last ones are kept for an error's message. */
function followLog(child: ChildProcess, logger: Logger): string[] {
  const kept: string[] = [];
  if (child.stderr === null) return kept;
  createInterface({ input: child.stderr }).on('line', (line) => {
    kept.push(line);
    if (kept.length > LOG_LINES_KEPT) kept.shift();
    const severity = /^(\w+):/.exec(line)?.[1] ?? '';
    const level = severity === 'PANIC' || severity === 'FATAL' || severity === 'ERROR' ? 'warn' : severity === 'WARNING' ? 'warn' : 'debug';
    logger[level]({ postgres: line.trim() }, 'Postgres says');
  });
  return kept;
}

/** `ready`, or how it ended. Polls the state Postgres keeps in `postmaster.pid`, as pg_ctl does. */
async function untilReady(child: ChildProcess, dataFolder: string): Promise<string> {
  let end: string | undefined;
  child.once('exit', (code, signal) => (end = String(signal ?? `code ${code}`)));
  child.once('error', (error) => (end = error.message));
  for (const giveUpMs = performance.now() + READY_MS; performance.now() < giveUpMs;) {
    if (end !== undefined) return end;
    const file = readPostmasterFile(dataFolder);
    if (file?.pid === child.pid && file?.ready === true) return 'ready';
    await sleep(POLL_MS);
  }
  child.kill('SIGKILL');
  return `not ready within ${READY_MS} ms`;
}

async function endPostmaster(child: ChildProcess, ended: Promise<string>, logger: Logger): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGINT');
  const timer = setTimeout(() => {
    logger.warn({ limitMs: STOP_MS }, 'Postgres takes too long to stop: ending it at once');
    child.kill('SIGQUIT');
  }, STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** `postgres (PostgreSQL) 18.4` -> `18.4` */
function versionOf(binaries: Binaries): string {
  return execFileSync(binaries.postgres, ['--version'], { encoding: 'utf8' }).trim().split(' ').at(-1) ?? '';
}
