import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { platform } from 'node:process';

/** A process, told from a later one with the same number by when it began (a number of its own unit, only compared). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly begin: string;
}

/** undefined: there is no such process. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const begin = platform === 'linux' ? beginOnLinux(pid) : beginByPs(pid);
  return begin === undefined ? undefined : { pid, begin };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.begin === identity.begin;
}

/** Whether the process is a postmaster that works on `dataFolder`: it stands in that folder, or names it on its command line. */
export function worksOn(pid: number, dataFolder: string): boolean {
  return platform === 'linux' ? standsIn(pid, dataFolder) : (ps(pid, 'command') ?? '').includes(dataFolder);
}

function standsIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch (error) {
    if (isGone(error)) return false;
    // Another user's process may hide its folder; its command line it does not hide.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(folder);
  }
}

/** Field 22 of /proc/<pid>/stat, ticks since boot. A zombie (state Z) has ended. The name in field 2 may hold blanks and brackets. */
function beginOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}

function beginByPs(pid: number): string | undefined {
  return ps(pid, 'lstart');
}

function ps(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    // ps exits 1 for a process that is not there.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined;
    throw error;
  }
}
