import type { Cache } from './cache.ts';

/** Keys held at most. At the bound the keys written longest ago go first: a cache may forget. */
const keysMaxDefault = 100_000;

interface Held {
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface MemoryCacheOptions {
  readonly keysMax?: number;
  /** The clock, ms. */
  readonly now?: () => number;
}

/** The Cache of a single process. Always available. */
export class MemoryCache implements Cache {
  readonly available = true;
  readonly #held = new Map<string, Held>();
  readonly #keysMax: number;
  readonly #now: () => number;

  constructor(options: MemoryCacheOptions = {}) {
    this.#keysMax = options.keysMax ?? keysMaxDefault;
    this.#now = options.now ?? Date.now;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#live(key)?.value;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.#put(key, { value, expiresAtMs: this.#now() + ttlMs });
  }

  async delete(key: string): Promise<void> {
    this.#held.delete(key);
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    if (this.#live(key)) return false;
    this.#put(key, { value, expiresAtMs: this.#now() + ttlMs });
    return true;
  }

  async increment(key: string, by: number, ttlMs: number): Promise<number> {
    const held = this.#live(key);
    const sum = (held ? Number(held.value) : 0) + by;
    if (!Number.isSafeInteger(sum)) throw new TypeError(`increment: "${key}" does not hold an integer`);
    this.#put(key, { value: String(sum), expiresAtMs: held?.expiresAtMs ?? this.#now() + ttlMs });
    return sum;
  }

  async close(): Promise<void> {
    this.#held.clear();
  }

  #live(key: string): Held | undefined {
    const held = this.#held.get(key);
    if (!held || held.expiresAtMs > this.#now()) return held;
    this.#held.delete(key);
    return undefined;
  }

  #put(key: string, held: Held): void {
    this.#held.delete(key);
    if (this.#held.size >= this.#keysMax) this.#makeRoom();
    this.#held.set(key, held);
  }

  /** Expired keys first; then the oldest tenth, so that a full cache does not sweep at every write. */
  #makeRoom(): void {
    const now = this.#now();
    for (const [key, held] of this.#held) if (held.expiresAtMs <= now) this.#held.delete(key);
    if (this.#held.size < this.#keysMax) return;
    let tooMany = Math.ceil(this.#keysMax / 10);
    for (const key of this.#held.keys()) {
      if (tooMany-- <= 0) return;
      this.#held.delete(key);
    }
  }
}
