import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { Logger } from '@weft/telemetry';
import type { Binaries } from './binaries.ts';
import { giveTo, type Launcher, type RunAs } from './run-as.ts';
import { syncFolder } from './sync-folder.ts';

export const DATABASE = 'weft';
export const USER = 'weft';

export interface InitialiseOptions {
  readonly dataFolder: string;
  readonly binaries: Binaries;
  readonly launcher: Launcher;
  readonly runAs: RunAs | undefined;
  readonly logger: Logger;
}

/** Makes the database cluster where there is none ([EP1]): beside its place, renamed when whole and synced. */
export async function initialise({ dataFolder, binaries, launcher, runAs, logger }: InitialiseOptions): Promise<void> {
  if (existsSync(dataFolder)) return;
  logger.info({ folder: dataFolder }, 'making a new Postgres database');
  const draft = `${dataFolder}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  giveTo(draft, runAs);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  // Nobody but us gets to the socket (its folder is 0700); TCP is off unless a test asks for it, on loopback.
  const access = [`--username=${USER}`, '--auth-local=trust', '--auth-host=trust'];
  await runToEnd(launcher, binaries.initdb, ['-D', draft, ...locale, ...access, '--no-instructions'], '');
  await runToEnd(launcher, binaries.postgres, ['--single', '-D', draft, 'postgres'], `CREATE DATABASE ${DATABASE};\n`);
  renameSync(draft, dataFolder);
  syncFolder(dirname(dataFolder));
}

const OUTPUT_SHOWN = 2000;

async function runToEnd(launcher: Launcher, command: string, args: readonly string[], input: string): Promise<void> {
  const child = launcher.launch(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: tmpdir(),
    env: { LC_ALL: 'C', TZ: 'UTC' },
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_SHOWN);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.stdin?.end(input);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`${command} ended with ${signal ?? code}: ${output.trim()}`);
}
