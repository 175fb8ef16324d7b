import { type Clock, systemClock } from './clock.ts';
import { sleep } from './sleep.ts';

/**
 * Calls `fn` every `ms`, the first time after `ms`, one call at a time. Resolves when the signal aborts (after a call under way); rejects with what
 * `fn` throws: catch inside what may fail. `void every(…)` makes such a throw an unhandled rejection, which `runService` ends the process on.
 */
export async function every(ms: number, fn: () => void | Promise<void>, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
  let startMs = clock.now();
  while (await waited(startMs + ms - clock.now(), signal, clock)) {
    startMs = clock.now();
    await fn();
  }
}

/** False when the signal aborted meanwhile. */
async function waited(ms: number, signal: AbortSignal, clock: Clock): Promise<boolean> {
  try {
    await sleep(Math.max(0, ms), signal, clock);
  } catch (reason) {
    if (signal.aborted) return false;
    throw reason;
  }
  return !signal.aborted;
}
