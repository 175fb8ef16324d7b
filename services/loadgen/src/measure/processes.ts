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

/** Reads /proc (Linux) of processes and their children, of each once; the generator itself is one of them. Names that occur more than once are added up. Who is gone uses nothing. */
export class ProcessWatch {
  readonly #roots: readonly WatchedProcess[];
  #pids = new Map<number, string>();

  constructor(processes: readonly WatchedProcess[]) {
    this.#roots = [...processes, { name: ownName, pid: process.pid }];
    this.#findChildren();
  }

  /** To the nanosecond, of children that came meanwhile too. Takes some ten milliseconds: not while something is measured. */
  exact(): Map<string, Usage> {
    this.#findChildren();
    return this.#sum((fields, pid) => threadsCpu(pid) + ticks(fields, goneChildren));
  }

  /** To ten milliseconds, quickly. */
  rough(): Map<string, Usage> {
    return this.#sum((fields) => ticks(fields, [...own, ...goneChildren]));
  }

  #sum(cpuOf: (fields: readonly number[], pid: number) => number): Map<string, Usage> {
    const byName = new Map<string, Usage>();
    for (const [pid, name] of this.#pids) {
      const fields = fieldsOf(pid);
      if (!fields) continue;
      const sum = byName.get(name) ?? { cpu: 0, rss: 0 };
      byName.set(name, { cpu: sum.cpu + cpuOf(fields, pid), rss: sum.rss + fields[pages]! * pageBytes });
    }
    return byName;
  }

  #findChildren(): void {
    const children = childrenByParent();
    this.#pids = new Map();
    const add = ({ name, pid }: WatchedProcess): void => {
      if (this.#pids.has(pid)) return;
      this.#pids.set(pid, name);
      for (const child of children.get(pid) ?? []) add({ name, pid: child });
    };
    for (const root of this.#roots) add(root);
  }
}

/** Of /proc/<pid>/stat, counted from the state on: proc(5). */
const parent = 1;
const own = [11, 12];
/** What children used that were waited for: Postgres' backends. */
const goneChildren = [13, 14];
const pages = 21;

function ticks(fields: readonly number[], which: readonly number[]): number {
  return which.reduce((sum, at) => sum + fields[at]!, 0) / ticksPerSecond;
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? fieldsOf(pid) : undefined;
    if (!fields) continue;
    const siblings = children.get(fields[parent]!);
    if (siblings) siblings.push(pid);
    else children.set(fields[parent]!, [pid]);
  }
  return children;
}

/** The name before the state, in brackets, may hold anything. Undefined: it is gone. */
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

/** Seconds. */
function threadsCpu(pid: number): number {
  let ns = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
  } catch {
    // A thread ended, or the process: what it had is lost.
  }
  return ns / 1e9;
}
