import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `postmaster.pid`: line 1 the pid, 8 the state (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*). */
export interface PostmasterFile {
  readonly pid: number;
  readonly ready: boolean;
}

export function postmasterFilePath(dataFolder: string): string {
  return join(dataFolder, 'postmaster.pid');
}

/** undefined: there is none, or it is being written. */
export function readPostmasterFile(dataFolder: string): PostmasterFile | undefined {
  let text: string;
  try {
    text = readFileSync(postmasterFilePath(dataFolder), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const lines = text.split('\n');
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  if (!Number.isSafeInteger(pid) || pid === 0) return undefined;
  return { pid, ready: lines[7]?.trim() === 'ready' };
}
