// A process for run-service.test.ts: a service whose parts behave as the arguments say, and that says each step aloud.
import { createLogger } from '@weft/telemetry';
import { runService, sleep } from './index.ts';

const behaviour = new Set(process.argv.slice(2));
const say = (word: string): void => void process.stdout.write(`step:${word}\n`);

async function step(name: string): Promise<void> {
  say(name);
  if (behaviour.has(`${name}-hangs`)) await sleep(60_000);
  if (behaviour.has(`${name}-fails`)) throw new Error(`${name} failed`);
}

setInterval(() => undefined, 1000);
void runService(
  {
    run: async () => {
      await step('run');
      if (behaviour.has('crash')) setTimeout(() => void Promise.reject(new Error('crashed')), 10);
      setImmediate(() => say('up'));
    },
    drain: () => step('drain'),
    stop: () => step('stop'),
  },
  { logger: createLogger({ service: 'fixture' }), drainMs: 100, stopMs: 100 },
);
