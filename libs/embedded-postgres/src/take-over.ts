import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@weft/telemetry';
import { postmasterFilePath, readPostmasterFile } from './postmaster-file.ts';
import { identityOf, isAlive, worksOn } from './process-facts.ts';

const QUIT_MS = 2000;
const KILLED_MS = 5000;
const POLL_MS = 5;

/**
 * Frees the data folder of what a dead owner left: a postmaster that outlived it ([EP5]), a lock file ([EP6]).
 * Only for who holds the folder's lock. An immediate shutdown is enough: what was committed is in Postgres' own log.
 */
export async function takeOver(dataFolder: string, logger: Logger): Promise<void> {
  const left = readPostmasterFile(dataFolder);
  if (left === undefined) {
    rmSync(postmasterFilePath(dataFolder), { force: true });
    return;
  }
  const postmaster = identityOf(left.pid);
  if (postmaster !== undefined && worksOn(left.pid, dataFolder)) {
    logger.info({ pid: left.pid }, 'ending the Postgres a dead process left behind');
    await endProcess(left.pid);
  }
  rmSync(postmasterFilePath(dataFolder), { force: true });
}

async function endProcess(pid: number): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGQUIT', QUIT_MS],
    ['SIGKILL', KILLED_MS],
  ] as const) {
    if (await endedBy(pid, signal, waitMs)) return;
  }
  throw new Error(`Postgres process ${pid} did not end`);
}

async function endedBy(pid: number, signal: NodeJS.Signals, waitMs: number): Promise<boolean> {
  const identity = identityOf(pid);
  if (identity === undefined) return true;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return true;
    throw error;
  }
  for (const end = performance.now() + waitMs; performance.now() < end;) {
    if (!isAlive(identity)) return true;
    await sleep(POLL_MS);
  }
  return !isAlive(identity);
}
