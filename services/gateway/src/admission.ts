import type { Cache } from '@weft/cache';
import { ConnectionCount, type TooMany } from './connection-count.ts';

/** So long abuse is remembered. */
const abuseMs = 10 * 60_000;

/**
 * Who may connect at all: how many connections a user and an address have, and which addresses are banned for what they did. Kept in the cache, for all gateways. Without it everybody may:
 * editing goes on (decision 0012).
 */
export class Admission {
  readonly #cache: Cache;
  readonly #limits: AdmissionLimits;
  readonly #world: AdmissionWorld;
  readonly #users: ConnectionCount;
  readonly #addresses: ConnectionCount;
  #isAway = false;

  constructor(cache: Cache, limits: AdmissionLimits, world: AdmissionWorld) {
    this.#cache = cache;
    this.#limits = limits;
    this.#world = world;
    const { wallMs } = world;
    this.#users = new ConnectionCount({ cache, wallMs, what: 'user', max: limits.userConnectionsMax });
    this.#addresses = new ConnectionCount({ cache, wallMs, what: 'address', max: limits.addressConnectionsMax });
  }

  /** Before a connection is made. */
  async mayConnect(address: string): Promise<TooMany | undefined> {
    const [banned, tooMany] = await Promise.all([
      this.#asked(() => this.#ban(address)),
      this.#asked(() => this.#addresses.mayOpen(address)),
    ]);
    return banned ?? tooMany;
  }

  mayUserConnect(user: string): Promise<TooMany | undefined> {
    return this.#asked(() => this.#users.mayOpen(user));
  }

  /** A connection of it is there; `addressLeft` follows. */
  addressCame(address: string): Promise<TooMany | undefined> {
    return this.#asked(() => this.#addresses.opened(address));
  }

  addressLeft(address: string): void {
    this.#addresses.closed(address);
  }

  /** A connection acts for it; `userLeft` follows. */
  userCame(user: string): Promise<TooMany | undefined> {
    return this.#asked(() => this.#users.opened(user));
  }

  userLeft(user: string): void {
    this.#users.closed(user);
  }

  /** Something came from it that no honest client sends. */
  async abused(address: string): Promise<void> {
    const { banAfter, banMs } = this.#limits;
    if (banAfter === 0) return;
    await this.#asked(async () => {
      const times = await this.#cache.increment(`abuse:${address}`, 1, abuseMs);
      if (times < banAfter) return undefined;
      await this.#cache.set(`ban:${address}`, String(this.#world.wallMs() + banMs), banMs);
      await this.#cache.delete(`abuse:${address}`);
      this.#world.report('banned', { address, banMs });
      return undefined;
    });
  }

  /** Called in turns, `turn` running through 0..turns-1 once a minute. */
  async recount(turn: number, turns: number): Promise<void> {
    await this.#asked(async () => {
      await Promise.all([this.#users.recount(turn, turns), this.#addresses.recount(turn, turns)]);
      return undefined;
    });
  }

  async #ban(address: string): Promise<TooMany | undefined> {
    const until = await this.#cache.get(`ban:${address}`);
    if (until === undefined) return undefined;
    const retryAfterS = Math.max(1, Math.ceil((Number(until) - this.#world.wallMs()) / 1000));
    return { sentence: 'too much came from this address that no client should send', retryAfterS };
  }

  /** The cache away: nobody is kept out. Said once. */
  async #asked(ask: () => Promise<TooMany | undefined>): Promise<TooMany | undefined> {
    try {
      const answer = await ask();
      this.#isAway = false;
      return answer;
    } catch (error) {
      if (!this.#isAway) this.#world.report('limits-unavailable', { error: String(error) });
      this.#isAway = true;
      return undefined;
    }
  }
}

export interface AdmissionLimits {
  /** 0: any number. */
  readonly userConnectionsMax: number;
  /** 0: any number. */
  readonly addressConnectionsMax: number;
  /** So often within ten minutes an address may be abused; 0: any number. */
  readonly banAfter: number;
  readonly banMs: number;
}

export interface AdmissionWorld {
  /** Ms since the epoch. */
  readonly wallMs: () => number;
  report(event: 'limits-unavailable' | 'banned', fields: Record<string, unknown>): void;
}
