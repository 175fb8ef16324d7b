import { createLogger } from '@weft/telemetry';
import { expect, test } from 'vitest';
import { type Clock, every, retry, sleep, systemClock } from './index.ts';

/** Stands still but when it is told: nothing of what waits on it may happen by itself. */
function handClock(): { readonly clock: Clock; advance(ms: number): Promise<void> } {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly run: () => void }[] = [];
  const clock: Clock = {
    now: () => nowMs,
    wallMs: () => nowMs,
    after: (ms, run) => {
      const timer = { atMs: nowMs + ms, run };
      timers.push(timer);
      return () => void (timers = timers.filter((each) => each !== timer));
    },
    soon: (run) => run(),
    random: () => 0.5,
  };
  const advance = async (ms: number): Promise<void> => {
    for (const end = nowMs + ms; nowMs < end;) {
      nowMs += 1;
      const due = timers.filter(({ atMs }) => atMs <= nowMs);
      timers = timers.filter(({ atMs }) => atMs > nowMs);
      for (const { run } of due) run();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, advance };
}

test('[LI11] sleep, every and retry know no time but their clock, and no chance', async () => {
  const { clock, advance } = handClock();
  const controller = new AbortController();
  const happened: string[] = [];
  void sleep(100, undefined, clock).then(() => happened.push(`slept at ${clock.now()}`));
  void every(40, () => void happened.push(`every at ${clock.now()}`), controller.signal, clock);
  const logger = createLogger({ service: 'test', level: 'silent' });
  const attempt = async (n: number): Promise<void> => {
    happened.push(`attempt ${n} at ${clock.now()}`);
    if (n < 3) throw new Error('no');
  };
  const tried = retry(attempt, { signal: controller.signal, logger, what: 'it', baseMs: 20, maxMs: 1_000, jitter: 0.5, clock });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(happened).toEqual(['attempt 1 at 0']);
  await advance(100);
  await tried;
  controller.abort();
  // Waits of 20 and 40 ms, each less a quarter: half of the half that is random.
  expect(happened).toEqual(['attempt 1 at 0', 'attempt 2 at 15', 'every at 40', 'attempt 3 at 45', 'every at 80', 'slept at 100']);
});

test('[LI11] a timer of the machine that is called off does not run', async () => {
  const ran: string[] = [];
  const callOff = systemClock.after(1, () => ran.push('called off'));
  systemClock.after(1, () => ran.push('due'), { background: true });
  callOff();
  await new Promise<void>((resolve) => systemClock.after(20, () => systemClock.soon(resolve)));
  expect(ran).toEqual(['due']);
});
