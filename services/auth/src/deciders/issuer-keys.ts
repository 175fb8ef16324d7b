import { setTimeout as sleep } from 'node:timers/promises';

import { createRemoteJWKSet, errors } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from 'jose';

import type { Logger } from '@weft/telemetry';

import { DeciderUnavailable } from './decider.ts';

export interface IssuerKeysOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Between the beginnings of two fetches, ms; more than one may take. */
  readonly cooldownMs?: number;
}

const FETCH_TIMEOUT_MS = 4_000;
const COOLDOWN_MS = 5_000;
/** Older keys are used and fetched again meanwhile: a key that the issuer withdrew goes. */
const AGED_MS = 300_000;
/** Older ones are used only if none can be had: nobody asked for long. */
const OLD_MS = 3_600_000;
/** Questions that wait for a fetch after one with an unknown key; one above that is left unanswered. */
const WAITING_MAX = 200;

/**
 * The keys of an issuer we do not run (SPEC A31). Those known work on while it is away. A key we do not know is a no only once a fetch that began after the question
 * does not know it either; fetches begin `cooldownMs` apart at least, whatever is asked.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  readonly #cooldownMs: number;
  #fetchedMs: number | undefined;
  #begunMs = Number.NEGATIVE_INFINITY;
  #isAway = false;
  #waiting = 0;
  /** A fetch that has not begun yet, for all who may wait for it. */
  #next: Promise<void> | undefined;
  #underWay: Promise<void> | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.#cooldownMs = options.cooldownMs ?? COOLDOWN_MS;
    // When to fetch is decided here: its own rule drops keys that are old although the issuer is away.
    this.#remote = createRemoteJWKSet(new URL(options.url), {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
    });
  }

  /** For `jwtVerify`. @throws JWKSNoMatchingKey for a key that the issuer does not have. @throws DeciderUnavailable when that cannot be said. */
  async keyFor(header: JWSHeaderParameters, jws: FlattenedJWSInput): Promise<CryptoKey> {
    await this.#freshen();
    try {
      return await this.#remote(header, jws);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#fetchedAnew();
    return this.#remote(header, jws);
  }

  async #freshen(): Promise<void> {
    if (this.#fetchedMs === undefined) return this.#fetchedAnew();
    const ageMs = this.#options.now() - this.#fetchedMs;
    if (ageMs < AGED_MS || this.#isCooling()) return;
    const fetching = this.#fetch().catch(() => undefined);
    if (ageMs >= OLD_MS) await fetching;
  }

  /** Resolves once a fetch that began after this call has brought the keys. */
  async #fetchedAnew(): Promise<void> {
    if (this.#isAway && this.#isCooling()) throw unavailable();
    if (this.#waiting >= WAITING_MAX) throw new DeciderUnavailable(`${WAITING_MAX} questions wait for the keys of the issuer already`);
    this.#waiting++;
    try {
      this.#next ??= this.#fetchCooled();
      await this.#next;
    } finally {
      this.#waiting--;
    }
  }

  async #fetchCooled(): Promise<void> {
    if (this.#isCooling()) await sleep(this.#begunMs + this.#cooldownMs - this.#options.now());
    // One under way began before whoever waits here asked.
    await this.#underWay?.catch(() => undefined);
    this.#next = undefined;
    await this.#fetch();
  }

  #isCooling(): boolean {
    return this.#options.now() < this.#begunMs + this.#cooldownMs;
  }

  #fetch(): Promise<void> {
    this.#underWay ??= this.#reload().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async #reload(): Promise<void> {
    const { logger, now } = this.#options;
    const { origin, pathname } = new URL(this.#options.url);
    const from = `${origin}${pathname}`;
    this.#begunMs = now();
    try {
      await this.#remote.reload();
    } catch (err) {
      if (!this.#isAway) logger.error({ err, from }, 'the keys of the issuer cannot be fetched; those known keep working');
      this.#isAway = true;
      throw unavailable(err);
    }
    if (this.#isAway) logger.info({ from }, 'the keys of the issuer are there again');
    this.#isAway = false;
    this.#fetchedMs = now();
  }
}

function unavailable(cause?: unknown): DeciderUnavailable {
  return new DeciderUnavailable('the keys of the issuer cannot be fetched', { cause });
}
