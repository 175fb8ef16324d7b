import type { Cache } from '@weft/cache';

const windowMs = 60_000;
/** Two windows and something: the one before is read, too. */
const keptMs = 3 * windowMs;

/** Come back in so many seconds. */
export interface TooMany {
  readonly sentence: string;
  readonly retryAfterS: number;
}

/**
 * How many connections somebody (a user, an address) has on all gateways, as far as the cache knows. Each is counted when it opens, and each that stays once a minute: a gateway that
 * dies takes its count along by itself. So what is counted is what was opened within a minute or is still there, and nobody has to be told of a close.
 *
 * Every call rejects with CacheUnavailable when the cache is away.
 */
export class ConnectionCount {
  readonly #options: ConnectionCountOptions;
  readonly #here = new Map<string, Here>();
  #nextTurn = 0;

  constructor(options: ConnectionCountOptions) {
    this.#options = options;
  }

  /** Before it opens. */
  async mayOpen(of: string): Promise<TooMany | undefined> {
    const { cache } = this.#options;
    const [before, now] = this.#windows();
    const [countedBefore, countedNow] = await Promise.all([cache.get(this.#key(of, before)), cache.get(this.#key(of, now))]);
    return this.#judge(Number(countedBefore ?? 0), Number(countedNow ?? 0));
  }

  /** It is open. What this resolves to says whether it has to be closed again; `closed` is to be called in any case. */
  async opened(of: string): Promise<TooMany | undefined> {
    const [before, now] = this.#windows();
    const here = this.#here.get(of) ?? { open: 0, window: now, counted: 0, turn: this.#nextTurn++ };
    this.#here.set(of, here);
    here.open += 1;
    begin(here, now);
    // Those that stay are counted with it, if they have not been in this minute.
    const missing = Math.max(1, here.open - here.counted);
    here.counted += missing;
    const { cache } = this.#options;
    const [countedBefore, countedNow] = await Promise.all([
      cache.get(this.#key(of, before)),
      cache.increment(this.#key(of, now), missing, keptMs),
    ]);
    const tooMany = this.#judge(Number(countedBefore ?? 0), countedNow - 1);
    // Who tries again and again is not kept out by its trying.
    if (tooMany) await cache.increment(this.#key(of, now), -1, keptMs);
    return tooMany;
  }

  closed(of: string): void {
    const here = this.#here.get(of);
    if (!here) return;
    here.open -= 1;
    if (here.open === 0) this.#here.delete(of);
  }

  /** Called in turns, `turn` running through 0..turns-1 once a minute: who stays is counted. */
  async recount(turn: number, turns: number): Promise<void> {
    const [, now] = this.#windows();
    const counting: Promise<unknown>[] = [];
    for (const [of, here] of this.#here) {
      if (here.turn % turns !== turn) continue;
      begin(here, now);
      const missing = here.open - here.counted;
      if (missing <= 0) continue;
      here.counted += missing;
      counting.push(this.#options.cache.increment(this.#key(of, now), missing, keptMs));
    }
    await Promise.all(counting);
  }

  /** Those that stay are in the window before, and come to this one in their turn: the larger of the two has them all, or will have within a minute. */
  #judge(before: number, now: number): TooMany | undefined {
    const { max, what, wallMs } = this.#options;
    const restMs = windowMs - (wallMs() % windowMs);
    if (max === 0 || Math.max(before, now) < max) return undefined;
    return { sentence: `more than ${max} connections of one ${what}`, retryAfterS: Math.ceil(restMs / 1000) };
  }

  #windows(): [before: number, now: number] {
    const now = Math.floor(this.#options.wallMs() / windowMs);
    return [now - 1, now];
  }

  #key(of: string, window: number): string {
    return `connections:${this.#options.what}:${of}:${window}`;
  }
}

export interface ConnectionCountOptions {
  readonly cache: Cache;
  /** Ms since the epoch, about the same on all gateways. */
  readonly wallMs: () => number;
  readonly what: 'user' | 'address';
  /** 0: any number. */
  readonly max: number;
}

interface Here {
  open: number;
  window: number;
  /** From here, in this window. */
  counted: number;
  readonly turn: number;
}

function begin(here: Here, window: number): void {
  if (here.window === window) return;
  here.window = window;
  here.counted = 0;
}
