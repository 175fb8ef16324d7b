import { createLogger } from '@weft/telemetry';
import { type Server, startRedis } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CacheUnavailable } from './cache.ts';
import { cacheContract } from './contract.test-suite.ts';
import { RedisCache } from './redis.ts';

const logger = createLogger({ service: 'cache-test', level: 'silent' });

const ready = async (cache: RedisCache): Promise<void> => {
  while (!cache.available) await new Promise((resolve) => setTimeout(resolve, 10));
};

cacheContract('redis', async () => {
  const server = await startRedis();
  const cache = new RedisCache({ url: server.url, logger, keyPrefix: `test-${crypto.randomUUID()}:` });
  await ready(cache);
  return {
    cache,
    waitMs: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    end: async () => {
      await cache.close();
      await server.stop();
    },
  };
});

describe.skipIf(process.env['WEFT_TEST_REDIS_URL'] !== undefined)('redis goes and comes', () => {
  let server: Server;
  let cache: RedisCache;
  beforeAll(async () => {
    server = await startRedis();
    cache = new RedisCache({ url: server.url, logger, timeoutMs: 300 });
    await ready(cache);
  });
  afterAll(async () => {
    await cache.close();
    await server.stop();
  });

  const calls = (): Promise<unknown>[] => [
    cache.get('k'),
    cache.set('k', 'v', 1_000),
    cache.delete('k'),
    cache.setIfAbsent('k', 'v', 1_000),
    cache.increment('n', 1, 1_000),
  ];

  test('killed: every call is CacheUnavailable at once; started again: they work', async () => {
    await server.kill();
    const startedMs = performance.now();
    for (const call of calls()) await expect(call).rejects.toBeInstanceOf(CacheUnavailable);
    for (const call of calls()) await expect(call).rejects.toBeInstanceOf(CacheUnavailable);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(cache.available).toBe(false);
    await server.start();
    await ready(cache);
    await cache.set('back', 'yes', 60_000);
    expect(await cache.get('back')).toBe('yes');
    // The scripts of a restarted server are gone: it is sent again.
    expect(await cache.increment('fresh', 3, 60_000)).toBe(3);
  });

  test('frozen: calls are CacheUnavailable within their time, and work when it thaws; nothing is counted twice', async () => {
    await server.pause();
    const startedMs = performance.now();
    await Promise.all(calls().map((call) => expect(call).rejects.toBeInstanceOf(CacheUnavailable)));
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    await server.resume();
    await ready(cache);
    await cache.delete('n');
    expect(await cache.increment('n', 1, 60_000)).toBe(1);
  });

  test('a call that waits when redis dies is CacheUnavailable', async () => {
    await server.pause();
    const waiting = expect(cache.get('k')).rejects.toBeInstanceOf(CacheUnavailable);
    await server.kill();
    await waiting;
    await server.start();
    await ready(cache);
    expect(await cache.get('k')).toBeUndefined();
  });
});
