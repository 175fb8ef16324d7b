import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { startRedis, type Server } from './index.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function ask<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 500 });
  redis.on('error', () => 'seen by the call itself');
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

test('[TK3] a durable one keeps its keys over stop and kill, on the same URL', async () => {
  const server = await startRedis({ durable: true });
  servers.push(server);
  await ask(server.url, (redis) => redis.set('a', '1'));
  for (const end of ['stop', 'kill'] as const) {
    await server[end]();
    await expect(ask(server.url, (redis) => redis.ping())).rejects.toThrow();
    await server.start();
    expect(await ask(server.url, (redis) => redis.get('a'))).toBe('1');
  }
});

test('[TK4] paused, it is silent; resumed, it answers', async () => {
  const server = await startRedis();
  servers.push(server);
  await ask(server.url, async (redis) => {
    await server.pause();
    const answer = redis.ping();
    expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 100, 'silent'))])).toBe('silent');
    await server.resume();
    expect(await answer).toBe('PONG');
  });
});
