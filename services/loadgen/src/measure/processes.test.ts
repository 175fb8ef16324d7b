import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ProcessWatch } from './processes.ts';

test('what processes and their children use, each of them once', async () => {
  // A child that computes, of a parent that waits.
  const child = spawn('sh', ['-c', `'${process.execPath}' -e 'for(;;);' & echo $!; wait`], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const grandchild = Number(line.toString());
  try {
    const watch = new ProcessWatch([
      { name: 'tree', pid: child.pid! },
      { name: 'again', pid: grandchild },
    ]);
    const before = watch.exact();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const after = watch.exact();
    expect(after.get('tree')!.cpu).toBeGreaterThan(before.get('tree')!.cpu + 0.05);
    expect(after.get('tree')!.rss).toBeGreaterThan(1_000_000);
    expect(after.has('again')).toBe(false);
    expect(watch.rough().get('tree')!.cpu).toBeGreaterThan(0.05);
    expect(after.get('loadgen')!.rss).toBeGreaterThan(1_000_000);
  } finally {
    process.kill(grandchild, 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

test('who is gone uses nothing', () => {
  expect(new ProcessWatch([{ name: 'nobody', pid: 2 ** 22 + 1 }]).exact().has('nobody')).toBe(false);
});
