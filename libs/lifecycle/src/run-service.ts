import type { Logger } from '@weft/telemetry';
import type { Service } from './service.ts';

export interface RunServiceOptions {
  readonly logger: Logger;
  /** Longest drain before the stop goes on without it. */
  readonly drainMs: number;
  /** Longest stop; default 10 s. */
  readonly stopMs?: number;
}

const STOP_MS = 10_000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * A process's main: runs the service and wires signals. It ends the process itself and never resolves.
 *
 *   running -- first signal --> draining --> stopping --> exit 0
 *   any     -- second signal --> exit 1
 *   any     -- run rejects, nobody caught an error --> stopping --> exit 1
 */
export function runService(service: Service, { logger, drainMs, stopMs = STOP_MS }: RunServiceOptions): Promise<never> {
  let state: 'starting' | 'running' | 'leaving' = 'starting';

  const stopAndExit = async (code: number): Promise<void> => {
    const outcome = await within(stopMs, () => service.stop());
    if (outcome.kind !== 'done') logger.error(outcome.detail, `the stop ${outcome.kind}`);
    process.exit(outcome.kind === 'done' ? code : 1);
  };

  const leave = async (signal: string): Promise<void> => {
    if (state === 'leaving') {
      logger.warn({ signal }, 'second signal: leaving at once');
      process.exit(1);
    }
    const drains = state === 'running';
    state = 'leaving';
    logger.info({ signal, drainMs }, drains ? 'draining' : 'stopping before the start was done');
    if (drains) {
      const outcome = await within(drainMs, () => service.drain());
      if (outcome.kind !== 'done') logger.warn(outcome.detail, `the drain ${outcome.kind}, stopping all the same`);
    }
    await stopAndExit(0);
  };

  const fail = async (err: unknown, sentence: string): Promise<void> => {
    logger.fatal({ err }, sentence);
    // A service already leaving may fail of its own stop: the way out stays the one under way.
    if (state === 'leaving') return;
    state = 'leaving';
    await stopAndExit(1);
  };

  for (const signal of SIGNALS) process.on(signal, () => void leave(signal));
  process.on('uncaughtException', (err) => void fail(err, 'nobody caught an error'));
  process.on('unhandledRejection', (err) => void fail(err, 'nobody caught a rejection'));

  service.run().then(
    () => {
      if (state === 'starting') state = 'running';
    },
    (err: unknown) => void fail(err, 'the service failed'),
  );
  return new Promise<never>(() => undefined);
}

type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly detail: { readonly err: unknown } }
  | { readonly kind: 'took too long'; readonly detail: { readonly limitMs: number } };

async function within(limitMs: number, step: () => Promise<void>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'took too long', detail: { limitMs } }), limitMs);
  });
  const work = step().then(
    (): Outcome => ({ kind: 'done' }),
    (err: unknown): Outcome => ({ kind: 'failed', detail: { err } }),
  );
  const outcome = await Promise.race([work, limit]);
  clearTimeout(timer);
  return outcome;
}
