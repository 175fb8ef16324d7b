import { readFileSync } from 'node:fs';
import { threadsOf } from './one-core.ts';
import type { ServerProcess } from './candidate.ts';

/** A process and all that came of it. Empty when it has ended. */
export function treeOf({ name, pid }: ServerProcess): ServerProcess[] {
  const children = ifThere(() => threadsOf(pid).flatMap((thread) => childrenOf(pid, thread)));
  return children === undefined ? [] : [{ name, pid }, ...children.flatMap((child) => treeOf({ name, pid: child }))];
}

/** Has a process, and not only its entry until its parent looks. */
export function isThere(pid: number): boolean {
  const state = ifThere(() => /^State:\s*(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function childrenOf(pid: number, thread: number): number[] {
  const text = ifThere(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '';
  return text.split(/\s+/).filter(Boolean).map(Number);
}

/** undefined when the process, or the thread, ended meanwhile. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined;
    throw error;
  }
}
