import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const FIXTURE = fileURLToPath(new URL('./run-service.fixture.ts', import.meta.url));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Life {
  readonly code: number | null;
  readonly steps: string[];
  readonly log: string;
}

/** Runs the fixture; `signals`: which signal to send on which step. Gives its life once it has ended. */
async function live(behaviour: string[], signals: Record<string, NodeJS.Signals>): Promise<Life> {
  const child = spawn(process.execPath, ['--conditions=weft-source', '--import', 'tsx', FIXTURE, ...behaviour], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const steps: string[] = [];
  let log = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('step:')) return void (log += `${line}\n`);
    const step = line.slice('step:'.length);
    steps.push(step);
    if (signals[step] !== undefined) child.kill(signals[step]);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, steps, log };
}

test.concurrent('[LI1] the first signal drains, stops, exits 0', async () => {
  expect(await live([], { up: 'SIGTERM' })).toMatchObject({ code: 0, steps: ['run', 'up', 'drain', 'stop'] });
});

test.concurrent('[LI2] the second signal exits 1 at once', async () => {
  const life = await live(['drain-hangs'], { up: 'SIGINT', drain: 'SIGTERM' });
  expect(life).toMatchObject({ code: 1, steps: ['run', 'up', 'drain'] });
});

test.concurrent('[LI3] a drain that hangs or fails does not keep the stop away', async () => {
  expect(await live(['drain-hangs'], { up: 'SIGTERM' })).toMatchObject({ code: 0, steps: ['run', 'up', 'drain', 'stop'] });
  const failed = await live(['drain-fails'], { up: 'SIGTERM' });
  expect(failed).toMatchObject({ code: 0, steps: ['run', 'up', 'drain', 'stop'] });
  expect(failed.log).toContain('drain failed');
});

test.concurrent('[LI3] a stop that hangs or fails exits 1', async () => {
  expect((await live(['stop-hangs'], { up: 'SIGTERM' })).code).toBe(1);
  expect((await live(['stop-fails'], { up: 'SIGTERM' })).code).toBe(1);
});

test.concurrent('[LI4] a run that rejects, and a rejection nobody caught, stop and exit 1', async () => {
  const failed = await live(['run-fails'], {});
  expect(failed).toMatchObject({ code: 1, steps: ['run', 'stop'] });
  expect(failed.log).toContain('run failed');
  const crashed = await live(['crash'], {});
  expect(crashed.code).toBe(1);
  expect(crashed.steps.at(-1)).toBe('stop');
  expect(crashed.log).toContain('crashed');
});

test.concurrent('[LI5] a signal while starting stops without a drain', async () => {
  expect(await live(['run-hangs'], { run: 'SIGTERM' })).toMatchObject({ code: 0, steps: ['run', 'stop'] });
});
