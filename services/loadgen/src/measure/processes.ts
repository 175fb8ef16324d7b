import { readdirSync, readFileSync } from 'node:fs';

/** What a process has used so far, its children included. */
export interface Usage {
  /** Seconds of CPU, user and system. */
  readonly cpu: number;
  /** Resident bytes. */
  readonly rss: number;
}

export interface WatchedProcess {
  readonly name: string;
  readonly pid: number;
}

const ticksPerSecond = 100;
const pageBytes = 4096;
const ownName = 'loadgen';

/** Reads /proc (Linux) of processes and their children, which come and go. Names that occur more than once are added up. Who is gone uses nothing. */
export function usageOf(processes: readonly WatchedProcess[]): Map<string, Usage> {
  const all = readAll();
  const byName = new Map<string, Usage>();
  for (const { name, pid } of [...processes, { name: ownName, pid: process.pid }]) {
    const { cpu, rss } = ofTree(all, pid);
    const sum = byName.get(name);
    byName.set(name, sum ? { cpu: sum.cpu + cpu, rss: sum.rss + rss } : { cpu, rss });
  }
  return byName;
}

interface Processes {
  usage(pid: number): Usage | undefined;
  children(pid: number): readonly number[];
}

function readAll(): Processes {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = parentOf(pid);
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings) siblings.push(pid);
    else children.set(parent, [pid]);
  }
  return { usage: readStat, children: (pid) => children.get(pid) ?? [] };
}

function parentOf(pid: number): number | undefined {
  return fieldsOf(pid)?.[1];
}

/** From the state on; the name before it, in brackets, may hold anything. */
function fieldsOf(pid: number): number[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return undefined;
  }
}

function readStat(pid: number): Usage | undefined {
  const fields = fieldsOf(pid);
  if (!fields) return undefined;
  const [childUser, childSystem, pages] = [fields[13]!, fields[14]!, fields[21]!];
  try {
    // What children used that are gone belongs to who waited for them: Postgres' backends.
    return { cpu: threadsCpu(pid) + (childUser + childSystem) / ticksPerSecond, rss: pages * pageBytes };
  } catch {
    return undefined;
  }
}

/** Seconds. To the nanosecond, unlike what `stat` counts. */
function threadsCpu(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
  return ns / 1e9;
}

function ofTree(all: Processes, pid: number): Usage {
  const usage = all.usage(pid);
  if (!usage) return { cpu: 0, rss: 0 };
  let { cpu, rss } = usage;
  for (const child of all.children(pid)) {
    const of = ofTree(all, child);
    cpu += of.cpu;
    rss += of.rss;
  }
  return { cpu, rss };
}
