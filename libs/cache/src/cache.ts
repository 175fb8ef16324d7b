/**
 * The Cache port: small facts that expire, shared by the processes of a service. Losing them all costs convenience, never an edit.
 * Both sides (Redis, memory) pass `contract.test-suite.ts`. Every call rejects with `CacheUnavailable` when the cache is away
 * (within `timeoutMs`, never hangs): the caller decides whether to fail open or closed.
 */
export interface Cache {
  readonly available: boolean;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** Sets only if absent; false if it was there. Atomic. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>;
  /** Adds `by` to a counter that starts at 0 and expires `ttlMs` after its first increment. Gives the new value. Atomic. */
  increment(key: string, by: number, ttlMs: number): Promise<number>;
  close(): Promise<void>;
}

export class CacheUnavailable extends Error {
  override readonly name = 'CacheUnavailable';
}
