import { expect, test } from 'vitest';
import { cacheContract } from './contract.test-suite.ts';
import { MemoryCache } from './memory.ts';

cacheContract('memory', async () => {
  let now = 1_000_000;
  const cache = new MemoryCache({ now: () => now });
  return { cache, waitMs: async (ms) => void (now += ms), end: () => cache.close() };
});

test('at the bound of keys expired ones go first, then the oldest', async () => {
  let now = 0;
  const cache = new MemoryCache({ keysMax: 10, now: () => now });
  for (let i = 0; i < 5; i += 1) await cache.set(`short${i}`, 'x', 10);
  for (let i = 0; i < 5; i += 1) await cache.set(`long${i}`, 'x', 1_000);
  now = 10;
  for (let i = 5; i < 10; i += 1) await cache.set(`long${i}`, 'x', 1_000);
  for (let i = 0; i < 10; i += 1) expect(await cache.get(`long${i}`), `long${i}`).toBe('x');
  await cache.set('one more', 'x', 1_000);
  expect(await cache.get('long0')).toBeUndefined();
  expect(await cache.get('one more')).toBe('x');
});
