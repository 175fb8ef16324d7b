import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs `start` with this process' main thread on one CPU. Children inherit it from birth, and theirs from them, so that nothing escapes and each
 * program finds one CPU when it counts them (GOMAXPROCS, thread pools). Afterwards this process is where it was. One at a time; not to be nested.
 */
export function onCore<T>(core: number, start: () => Promise<T>): Promise<T> {
  const mine = turn.then(async () => {
    const before = allowedCpus(process.pid);
    pin(['-p'], String(core));
    try {
      return await start();
    } finally {
      // All threads: those that Node made meanwhile inherited it too.
      pin(['-a', '-p'], before);
    }
  });
  turn = mine.catch(() => undefined);
  return mine;
}

/** As the kernel writes it: `0`, `0-1`. Of a process' main thread, or of one thread of it. */
export function allowedCpus(pid: number, thread = pid): string {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))?.[1];
  if (list === undefined) throw new Error(`/proc/${pid}/task/${thread}/status does not tell Cpus_allowed_list`);
  return list;
}

export function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number);
}

function pin(flags: readonly string[], cpus: string): void {
  const { status, error, stderr } = spawnSync('taskset', [...flags, '-c', cpus, String(process.pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot run on CPU ${cpus} alone (taskset, of util-linux): ${error?.message ?? stderr.trim()}`);
}
