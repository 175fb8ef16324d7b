import type { Logger } from '@weft/telemetry';
import { type Clock, systemClock } from './clock.ts';
import { sleep } from './sleep.ts';

export interface RetryOptions {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** What is tried, for the log: `connect to NATS`. */
  readonly what: string;
  readonly baseMs: number;
  readonly maxMs: number;
  /** Part of each wait that is random, 0 to 1; default 0.5. */
  readonly jitter?: number;
  /** Default: everything is. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Default: no limit but the signal, at one attempt per `maxMs`. */
  readonly attemptsMax?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** The house's one backoff. The operation gets the attempt's number, from 1. */
export async function retry<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, logger, what, isRetryable = () => true, attemptsMax = Infinity, clock = systemClock } = options;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (err) {
      signal.throwIfAborted();
      if (!isRetryable(err) || attempt >= attemptsMax) throw err;
      const waitMs = waitBefore(attempt + 1, options, clock);
      logger.warn({ err, what, attempt, waitMs: Math.round(waitMs) }, 'failed, will be tried again');
      await sleep(waitMs, signal, clock);
    }
  }
}

function waitBefore(attempt: number, { baseMs, maxMs, jitter = 0.5 }: RetryOptions, clock: Clock): number {
  return Math.min(maxMs, baseMs * 2 ** (attempt - 2)) * (1 - jitter * clock.random());
}
