import { createHash } from 'node:crypto';

import { CacheUnavailable } from '@weft/cache';
import type { Cache } from '@weft/cache';
import type { Logger } from '@weft/telemetry';

import { AccountRefusal } from './account-refusal.ts';

interface Limit {
  readonly kind: 'account' | 'address' | 'refresh';
  /** Attempts before the first pause. */
  readonly free: number;
  /** The pause after `free` attempts; each further one doubles it. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** An account's longest pause is short: else anybody could lock somebody out. One guess a minute finds no password. */
const ACCOUNT: Limit = { kind: 'account', free: 5, firstMs: 1000, longestMs: 60_000 };
/** Many people may share an address. */
const ADDRESS: Limit = { kind: 'address', free: 20, firstMs: 1000, longestMs: 15 * 60_000 };
/** Refresh tokens worth nothing, by address; counted apart, so that a program that repeats itself keeps nobody beside it from signing in. */
const REFRESH: Limit = { ...ADDRESS, kind: 'refresh' };
/** Attempts are forgotten so long after the first of them. */
const WINDOW_MS = 60 * 60_000;

/**
 * Attempts to sign in, counted by account and by address before the password is looked at, so that many at once count too; the pause grows with
 * them (SPEC AC6). Without the cache nobody signs in: fail closed (decision 0012). Refresh tokens that are worth nothing are counted likewise, but
 * after they were looked at (SPEC AC16).
 */
export class SignInLimits {
  readonly #cache: Cache;
  readonly #logger: Logger;
  readonly #now: () => number;
  #told = false;

  /** @param now ms since the epoch. */
  constructor(cache: Cache, logger: Logger, now: () => number) {
    this.#cache = cache;
    this.#logger = logger;
    this.#now = now;
  }

  /** Counts one attempt. `account` undefined: none is named. @throws AccountRefusal when it has to wait, or cannot be counted. */
  async attempt(account: string | undefined, address: string): Promise<void> {
    await this.#orClosed(async () => {
      // The address first: who is stopped by it must not use up the attempts of the account.
      await this.#take(ADDRESS, household(address));
      if (account !== undefined) await this.#take(ACCOUNT, account);
    });
  }

  /** The password was right: the account's attempts are forgotten, and this one is taken back from the address. */
  async succeeded(account: string, address: string): Promise<void> {
    await this.#orClosed(async () => {
      await this.#cache.delete(countKey(ACCOUNT, account));
      await this.#cache.increment(countKey(ADDRESS, household(address)), -1, WINDOW_MS);
    });
  }

  /**
   * A refresh token was brought that is worth nothing: only those are counted, since no pause may keep back a good one of the same address.
   * Without the cache they are let be: who is signed in goes on. @throws AccountRefusal when the address has to wait.
   */
  async refreshFailed(address: string): Promise<void> {
    try {
      await this.#take(REFRESH, household(address));
      this.#isCounted();
    } catch (error) {
      this.#isNotCounted(error);
    }
  }

  async #take(limit: Limit, name: string): Promise<void> {
    const pauseKey = `${countKey(limit, name)}:pause`;
    const pausedUntil = await this.#cache.get(pauseKey);
    if (pausedUntil !== undefined) throw wait(Number(pausedUntil) - this.#now());
    const attempts = await this.#cache.increment(countKey(limit, name), 1, WINDOW_MS);
    if (attempts <= limit.free) return;
    const pauseMs = Math.min(limit.firstMs * 2 ** Math.min(attempts - limit.free - 1, 30), limit.longestMs);
    // One of many at once gets the turn of this pause; the others do not count, so that they cannot prolong the next.
    if (await this.#cache.setIfAbsent(pauseKey, String(this.#now() + pauseMs), pauseMs)) return;
    await this.#cache.increment(countKey(limit, name), -1, WINDOW_MS);
    throw wait(pauseMs);
  }

  async #orClosed(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#isCounted();
    } catch (error) {
      this.#isNotCounted(error);
      throw new AccountRefusal('unavailable', 'signing in is not possible at the moment: try again', 2000);
    }
  }

  #isCounted(): void {
    if (this.#told) this.#logger.info('attempts to sign in are counted again');
    this.#told = false;
  }

  /** Returns only if it is for want of the cache. */
  #isNotCounted(error: unknown): void {
    if (!(error instanceof CacheUnavailable)) throw error;
    if (!this.#told) this.#logger.error({ err: error }, 'attempts to sign in cannot be counted: nobody can sign in until Redis is back');
    this.#told = true;
  }
}

function wait(ms: number): AccountRefusal {
  return new AccountRefusal('too-many-attempts', 'too many attempts: wait before the next', Math.max(1000, ms));
}

/** An IPv6 address' /64: one household has it whole, and could come from another address each time. What is no IPv6 address is itself. */
export function household(address: string): string {
  const bare = address.replace(/%.*$/, '');
  if (!bare.includes(':') || !URL.canParse(`http://[${bare}]`)) return address;
  const spelled = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  if (spelled.startsWith('::ffff:')) return spelled;
  const [head = [], tail] = spelled.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  return `${[...head, ...Array.from({ length: zeros }, () => '0'), ...(tail ?? [])].slice(0, 4).join(':')}::/64`;
}

/** Hashed: whatever somebody types is no key of ours, and addresses of people do not lie about in the cache. Not by WebCrypto, whose threads hash passwords. */
function countKey({ kind }: Limit, name: string): string {
  return `sign-in:${kind}:${createHash('sha256').update(name).digest('base64url')}`;
}
