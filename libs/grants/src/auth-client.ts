import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { BusNoResponders, BusTimeout } from '@weft/bus';
import type { Bus } from '@weft/bus';

import type { Changed } from './changed.ts';
import type { Allowed, Decision } from './decision.ts';
import { AUTH_CHECK_SUBJECT, TOKEN_BYTES_MAX, decodeDecision, encodeQuestion } from './messages.ts';
import { RecentChanges } from './recent-changes.ts';

/** Who can say who may do what: auth, over the bus. */
export interface Authority {
  /**
   * May the bearer of `token` (empty: a guest) open `document`, and as what? Rejects when nobody can say. `fresh`: not out of what was kept. An answer is never older
   * than the last change that concerns it and was told to `forget` before it was given.
   */
  check(token: string, document: string, options?: { readonly fresh?: boolean }): Promise<Decision>;
  /** Something changed: what is kept of it counts no more. */
  forget(changed: Changed): void;
}

/** Auth did not say yes or no: try again later (to a client: 1013, not 4401). The cause says why. */
export class AuthUnavailable extends Error {
  override readonly name = 'AuthUnavailable';
  readonly code = 'auth-unavailable';
}

export interface AuthClientOptions {
  /** How long one question may take, with all its attempts, ms: whoever asks waits meanwhile, and is not sent away because an auth restarts. */
  readonly timeoutMs: number;
  /** Ms since the epoch; the wall clock unless given. */
  readonly now?: () => number;
  readonly cachedMax?: number;
  readonly underWayMax?: number;
}

/** An allowance is believed for this long; a withdrawn right reaches live connections by another way (revocations), within 2 s. */
const CACHED_MS = 10_000;

/** An answer comes in a millisecond or two. How long the first attempt waits for it, and the longest; each waits twice as long as the one before, so that an auth under load is not asked ever more. */
const ATTEMPT_MS_MIN = 250;
const ATTEMPT_MS_MAX = 4_000;

interface Kept {
  readonly allowance: Allowed;
  readonly document: string;
  readonly freshUntilMs: number;
  /** The number of the last change when it was asked. */
  readonly lastChange: number;
}

/** Asks auth over the bus, once for many (SPEC G5–G11, G30–G32). */
export class AuthClient implements Authority {
  readonly #bus: Bus;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #cachedMax: number;
  readonly #underWayMax: number;
  /** By key, oldest first: a Map keeps the order of insertion, and an entry is never renewed in place. */
  readonly #kept = new Map<string, Kept>();
  readonly #underWay = new Map<string, Promise<Decision>>();
  readonly #changes: RecentChanges;

  constructor(bus: Bus, options: AuthClientOptions) {
    this.#bus = bus;
    this.#timeoutMs = options.timeoutMs;
    this.#now = options.now ?? Date.now;
    this.#cachedMax = options.cachedMax ?? 20_000;
    this.#underWayMax = options.underWayMax ?? 10_000;
    this.#changes = new RecentChanges({ now: () => performance.now(), keptMs: CACHED_MS + options.timeoutMs });
  }

  /** Rejects with `AuthUnavailable`. */
  async check(token: string, document: string, { fresh = false }: { readonly fresh?: boolean } = {}): Promise<Decision> {
    if (isTooLong(token)) return { allowed: false, status: 401, reason: 'token is too long' };
    const key = keyOf(token, document);
    const known = fresh ? undefined : this.#known(key);
    if (known !== undefined) return known;
    return this.#underWay.get(key) ?? this.#start(key, token, document);
  }

  /** What is kept of it is looked through when it is asked for: a change costs the same whatever is kept. */
  forget(changed: Changed): void {
    this.#changes.note(changed);
  }

  #known(key: string): Allowed | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#now() < kept.freshUntilMs && !this.#isChanged(kept.allowance, kept.document, kept.lastChange)) return kept.allowance;
    this.#kept.delete(key);
    return undefined;
  }

  #isChanged({ who, session }: Allowed, document: string, lastChange: number): boolean {
    return this.#changes.cameSince(lastChange, { user: who.id, document, ...(session === undefined ? {} : { session }) });
  }

  #start(key: string, token: string, document: string): Promise<Decision> {
    if (this.#underWay.size >= this.#underWayMax) {
      return Promise.reject(new AuthUnavailable(`${this.#underWayMax} questions to auth are under way already`));
    }
    const question = this.#ask(key, token, document).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, question);
    return question;
  }

  /** An answer that a change came after is asked for again: a yes until it is newer than any change of it. A no harms nobody, and may be of anybody: once. */
  async #ask(key: string, token: string, document: string): Promise<Decision> {
    const deadlineMs = performance.now() + this.#timeoutMs;
    for (let refusals = 0; ;) {
      const lastChange = this.#changes.last;
      const decision = await this.#request(token, document, deadlineMs);
      if (decision.allowed) {
        if (this.#isChanged(decision, document, lastChange)) continue;
        this.#keep(key, { allowance: decision, document, lastChange });
        return decision;
      }
      this.#kept.delete(key);
      refusals += 1;
      if (refusals > 1 || this.#changes.last === lastChange) return decision;
    }
  }

  /**
   * The bus may lose a question or its answer, all auths may be away for a moment, and one that stands still may get one question in two: it costs nothing to ask
   * again.
   */
  async #request(token: string, document: string, deadlineMs: number): Promise<Decision> {
    const question = encodeQuestion({ token, document });
    for (let attemptMs = ATTEMPT_MS_MIN; ; attemptMs = Math.min(2 * attemptMs, ATTEMPT_MS_MAX)) {
      const leftMs = deadlineMs - performance.now();
      try {
        return decodeDecision(
          await this.#bus.request(AUTH_CHECK_SUBJECT, question, { timeoutMs: Math.max(1, Math.min(attemptMs, leftMs)) }),
        );
      } catch (cause) {
        const isAway = cause instanceof BusNoResponders;
        if (!(isAway || cause instanceof BusTimeout) || leftMs <= attemptMs) throw new AuthUnavailable('auth gave no answer', { cause });
        // The bus says so at once.
        if (isAway) await sleep(attemptMs);
      }
    }
  }

  #keep(key: string, asked: Omit<Kept, 'freshUntilMs'>): void {
    this.#kept.delete(key);
    if (this.#kept.size >= this.#cachedMax) {
      const oldest = this.#kept.keys().next();
      if (!oldest.done) this.#kept.delete(oldest.value);
    }
    this.#kept.set(key, { ...asked, freshUntilMs: Math.min(this.#now() + CACHED_MS, asked.allowance.untilMs) });
  }
}

function isTooLong(token: string): boolean {
  return token.length > TOKEN_BYTES_MAX || new TextEncoder().encode(token).length > TOKEN_BYTES_MAX;
}

/** The token's length keeps two different pairs from running together into one text. */
function keyOf(token: string, document: string): string {
  return createHash('sha256').update(`${token.length}:${token}${document}`).digest('base64');
}
