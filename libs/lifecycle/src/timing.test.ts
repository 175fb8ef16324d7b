import { createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { every, retry, sleep, systemClock, type RetryOptions } from './index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const reason = new Error('leaving');

test('[LI9] sleep resolves after its time', async () => {
  const done = vi.fn();
  void sleep(100).then(done);
  await vi.advanceTimersByTimeAsync(99);
  expect(done).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toHaveBeenCalled();
});

test('[LI9] an abort ends a sleep, and no timer is left', async () => {
  const controller = new AbortController();
  const sleeping = expect(sleep(100, controller.signal)).rejects.toBe(reason);
  controller.abort(reason);
  await sleeping;
  await expect(sleep(100, controller.signal)).rejects.toBe(reason);
  expect(vi.getTimerCount()).toBe(0);
});

function lines(): { options: RetryOptions; controller: AbortController; log: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const controller = new AbortController();
  const logger = createLogger({ service: 'test', stream: { write: (line) => void written.push(line) } });
  const options = { signal: controller.signal, logger, what: 'reach it', baseMs: 100, maxMs: 1000, jitter: 0 };
  return { options, controller, log: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('[LI6][LI7][LI8] retry backs off, doubling up to the limit, and logs', async () => {
  const { options, log } = lines();
  const result = retry(async (attempt) => (attempt < 7 ? Promise.reject(new Error('no')) : attempt), options);
  await vi.runAllTimersAsync();
  expect(await result).toBe(7);
  expect(log().map((line) => line['waitMs'])).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(log()[0]).toMatchObject({ what: 'reach it', attempt: 1, err: { message: 'no' } });
});

test('[LI7] jitter takes off at most its part', async () => {
  const { options, log } = lines();
  const result = retry(async (attempt) => (attempt < 3 ? Promise.reject(new Error('no')) : attempt), {
    ...options,
    jitter: 0.5,
    clock: { ...systemClock, random: () => 1 },
  });
  await vi.runAllTimersAsync();
  await result;
  expect(log().map((line) => line['waitMs'])).toEqual([50, 100]);
});

test('[LI6] what is not retryable, and too many attempts, reject with the error', async () => {
  const { options } = lines();
  const operation = vi.fn(() => Promise.reject(new Error('no')));
  await expect(retry(operation, { ...options, isRetryable: () => false })).rejects.toThrow('no');
  expect(operation).toHaveBeenCalledTimes(1);
  const limited = expect(retry(operation, { ...options, attemptsMax: 3 })).rejects.toThrow('no');
  await vi.runAllTimersAsync();
  await limited;
  expect(operation).toHaveBeenCalledTimes(4);
});

test('[LI6] an abort ends a retry, in its wait or in its attempt', async () => {
  const { options, controller } = lines();
  const retrying = expect(retry(() => Promise.reject(new Error('no')), options)).rejects.toBe(reason);
  await vi.advanceTimersByTimeAsync(250);
  controller.abort(reason);
  await retrying;
});

test('[LI10] every keeps its pace, one call at a time', async () => {
  const controller = new AbortController();
  const starts: number[] = [];
  const begin = performance.now();
  const slow = async (): Promise<void> => {
    starts.push(performance.now() - begin);
    await sleep(starts.length === 2 ? 250 : 30);
  };
  const done = every(100, slow, controller.signal);
  await vi.advanceTimersByTimeAsync(600);
  controller.abort(reason);
  await vi.advanceTimersByTimeAsync(100);
  await done;
  // "At once" is a timer of 1 ms.
  expect(starts).toEqual([100, 200, 451, 551]);
});

test('[LI10] every rejects with what its function throws', async () => {
  const failing = expect(
    every(
      10,
      () => {
        throw reason;
      },
      new AbortController().signal,
    ),
  ).rejects.toBe(reason);
  await vi.advanceTimersByTimeAsync(10);
  await failing;
});
