import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf, isAlive, type ProcessIdentity } from '@weft/embedded-postgres';
import { removeNow } from './docker-engine.ts';
import { releasePort } from './port-claims.ts';

/**
 * What this process has to clear when it ends, and, should it be killed, the next one ([TK5]): one file a thing, in a folder all test processes share.
 * Linux besides kills children with their parent (see child-server.ts).
 */
type Leftover =
  | { readonly kind: 'process'; readonly owner: ProcessIdentity; readonly process: ProcessIdentity }
  | { readonly kind: 'folder'; readonly owner: ProcessIdentity; readonly folder: string }
  | { readonly kind: 'container'; readonly owner: ProcessIdentity; readonly socket: string; readonly container: string }
  | { readonly kind: 'port'; readonly owner: ProcessIdentity; readonly port: number };

const FOLDER = join(tmpdir(), 'weft-testkit', 'leftovers');
const mine = new Map<string, Leftover>();
let self: ProcessIdentity | undefined;
let counter = 0;

/** A temporary folder, removed when this process ends. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `weft-${name}-`));
  remember({ kind: 'folder', owner: begin(), folder });
  return folder;
}

/** Gives back how to forget it, once the process has ended. */
export function rememberProcess(pid: number): () => void {
  const identity = identityOf(pid);
  return identity === undefined ? () => undefined : remember({ kind: 'process', owner: begin(), process: identity });
}

export function rememberContainer(socket: string, container: string): void {
  remember({ kind: 'container', owner: begin(), socket, container });
}

export function rememberPort(port: number): void {
  remember({ kind: 'port', owner: begin(), port });
}

function remember(leftover: Leftover): () => void {
  const file = join(FOLDER, `${process.pid}-${counter++}.json`);
  writeFileSync(file, JSON.stringify(leftover));
  mine.set(file, leftover);
  return () => {
    mine.delete(file);
    rmSync(file, { force: true });
  };
}

function begin(): ProcessIdentity {
  if (self !== undefined) return self;
  self = identityOf(process.pid);
  if (self === undefined) throw new Error('this process cannot see itself');
  mkdirSync(FOLDER, { recursive: true });
  sweepDead();
  process.on('exit', clearMine);
  // Vitest ends its workers with SIGTERM, which alone would skip `exit`.
  process.once('SIGTERM', () => process.exit(143));
  return self;
}

function clearMine(): void {
  for (const [file, leftover] of [...mine].toReversed()) clear(file, leftover);
  mine.clear();
}

function sweepDead(): void {
  for (const name of readdirSync(FOLDER)) {
    const file = join(FOLDER, name);
    const leftover = read(file);
    if (leftover !== undefined && !isAlive(leftover.owner)) clear(file, leftover);
  }
}

function read(file: string): Leftover | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Leftover;
  } catch (error) {
    // Swept by another meanwhile, or being written.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) return undefined;
    throw error;
  }
}

function clear(file: string, leftover: Leftover): void {
  switch (leftover.kind) {
    case 'process':
      killStill(leftover.process);
      break;
    case 'folder':
      rmSync(leftover.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
      break;
    case 'container':
      removeNow(leftover.socket, leftover.container);
      break;
    case 'port':
      releasePort(leftover.port);
      break;
  }
  rmSync(file, { force: true });
}

function killStill(identity: ProcessIdentity): void {
  if (!isAlive(identity)) return;
  try {
    // Servers lead a process group of their own.
    process.kill(-identity.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
