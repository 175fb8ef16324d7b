import type { OriginMemory } from './origin-memory.ts';

/** What of the surroundings is used: a browser's, Node's, or a test's. */
export interface World {
  /** Absent: the fallback alone. */
  readonly WebSocket: typeof WebSocket | undefined;
  readonly fetch: typeof fetch;
  readonly credentials: RequestCredentials;
  readonly memory: OriginMemory;
  /** By the wall clock: it is compared with what other tabs wrote down. */
  readonly nowMs: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  /** Gives its cancellation. */
  readonly after: (ms: number, run: () => void) => () => void;
}

/** Shorter where `signal` is aborted. */
export function sleep(world: World, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = world.after(ms, wake);
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
  });
}

const firstPauseMs = 250;
const pauseMsMax = 5000;

/** Before try number `tries` (from 1): growing, and spread, since what broke for one broke for many. */
export function pauseMs({ random }: World, tries: number): number {
  return Math.min(pauseMsMax, firstPauseMs * 2 ** (tries - 1)) * (0.5 + random() / 2);
}
