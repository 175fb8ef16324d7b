import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { allowedCpus, onCore, threadsOf } from './one-core.ts';
import { isThere, treeOf } from './process-tree.ts';

const ours = allowedCpus(process.pid);
/** `0-1`: the first of those we may use. */
const core = Number.parseInt(ours, 10);
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
});

test('a child, its threads and its own children are on the one CPU; we are where we were', async () => {
  const parent = await onCore(core, parentOfOne);
  const tree = treeOf({ name: 'program', pid: parent });
  expect(tree.map(({ name }) => name)).toEqual(['program', 'program']);
  for (const { pid } of tree) for (const thread of threadsOf(pid)) expect(allowedCpus(pid, thread)).toBe(String(core));
  for (const thread of threadsOf(process.pid)) expect(allowedCpus(process.pid, thread)).toBe(ours);
});

test('a start that fails leaves us where we were, and the next one its turn', async () => {
  const failed = onCore(core, () => Promise.reject(new Error('no')));
  const next = onCore(core, async () => allowedCpus(process.pid));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe(String(core));
  expect(allowedCpus(process.pid)).toBe(ours);
});

test('a CPU that is not there is refused in one sentence', async () => {
  await expect(onCore(4095, async () => undefined)).rejects.toThrow(/^cannot run on CPU 4095 alone/);
});

test('what has ended has no tree and is not there', async () => {
  const pid = await parentOfOne();
  const [child] = children.splice(0);
  expect(isThere(pid)).toBe(true);
  const ended = once(child!, 'exit');
  child!.kill('SIGKILL');
  await ended;
  expect(isThere(pid)).toBe(false);
  expect(treeOf({ name: 'program', pid })).toEqual([]);
});

/** A program that has a child; gives its pid once both run. Both end with it: the child reads from a pipe that closes. */
async function parentOfOne(): Promise<number> {
  const script = `require('node:child_process').spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }).once('spawn', () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid!;
}
