import type { Logger } from '@weft/telemetry';
import { Redis } from 'ioredis';
import { type Cache, CacheUnavailable } from './cache.ts';

/** A call is answered or rejected within this time, whatever the network does. */
const timeoutMsDefault = 500;
const reconnectDelayMsMax = 2_000;
/** Commands in flight. Beyond it calls are refused at once: a Redis that hangs must not collect memory here. */
const inFlightMax = 10_000;

/**
 * INCRBY, with an expiry set by the call that makes the key. One script, for two commands could leave a counter that never expires.
 * A counter found without an expiry (made by someone else) gets one too.
 */
const incrementScript = `
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum`;

type RedisWithIncrement = Redis & { weftIncrement(key: string, by: number, ttlMs: number): Promise<number> };

export interface RedisCacheOptions {
  /** `redis://[[user]:password@]host:port/db`, or `rediss://` for TLS. */
  readonly url: string;
  readonly logger: Logger;
  /** Put before every key, so that several installs may share one Redis. */
  readonly keyPrefix?: string;
  readonly timeoutMs?: number;
  readonly tlsCa?: string;
}

/** The Cache on Redis 7 or newer. Connects in the background and reconnects for ever; calls meanwhile reject at once. */
export class RedisCache implements Cache {
  readonly #redis: RedisWithIncrement;
  readonly #timeoutMs: number;
  #inFlight = 0;

  constructor(options: RedisCacheOptions) {
    this.#timeoutMs = options.timeoutMs ?? timeoutMsDefault;
    const redis = new Redis(options.url, {
      keyPrefix: options.keyPrefix ?? 'weft:',
      connectTimeout: 5_000,
      commandTimeout: this.#timeoutMs,
      // A command that was sent when the connection broke is rejected, not sent again: an increment must not count twice.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      // No connection: reject at once instead of queueing.
      enableOfflineQueue: false,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), reconnectDelayMsMax) * (0.5 + Math.random() / 2),
      scripts: { weftIncrement: { lua: incrementScript, numberOfKeys: 1 } },
      ...(options.tlsCa === undefined ? {} : { tls: { ca: options.tlsCa } }),
    });
    this.#redis = redis as RedisWithIncrement;
    let told = false;
    redis.on('error', (error: unknown) => {
      // One line an outage; ioredis reports every attempt.
      if (!told) options.logger.warn({ err: error }, 'redis is away; reconnecting');
      told = true;
    });
    redis.on('ready', () => {
      if (told) options.logger.info('redis is back');
      told = false;
    });
  }

  get available(): boolean {
    return this.#redis.status === 'ready';
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#call(() => this.#redis.get(key))) ?? undefined;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await this.#call(() => this.#redis.set(key, value, 'PX', wholeMs(ttlMs)));
  }

  async delete(key: string): Promise<void> {
    await this.#call(() => this.#redis.del(key));
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    return (await this.#call(() => this.#redis.set(key, value, 'PX', wholeMs(ttlMs), 'NX'))) === 'OK';
  }

  increment(key: string, by: number, ttlMs: number): Promise<number> {
    return this.#call(() => this.#redis.weftIncrement(key, by, wholeMs(ttlMs)));
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #call<T>(command: () => Promise<T>): Promise<T> {
    if (!this.available) throw new CacheUnavailable(`redis is not connected (${this.#redis.status})`);
    if (this.#inFlight >= inFlightMax) throw new CacheUnavailable(`redis: ${inFlightMax} calls wait already`);
    this.#inFlight += 1;
    try {
      return await command();
    } catch (error) {
      if (isAnswer(error)) throw new TypeError(`redis refused: ${error.message}`, { cause: error });
      throw new CacheUnavailable(`redis did not answer: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      this.#inFlight -= 1;
    }
  }
}

/** PX takes whole milliseconds above 0. */
const wholeMs = (ttlMs: number): number => Math.max(1, Math.ceil(ttlMs));

/** Redis answered, and the fault is in the call (e.g. increment of what is no number). States of the server (LOADING, READONLY, …) are not. */
const isAnswer = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError' && /^(ERR|WRONGTYPE)\b/.test(error.message);
