import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cache } from './cache.ts';

/** What every side of the Cache port keeps. `waitMs` lets that much of the cache's time pass. */
export function cacheContract(
  side: string,
  start: () => Promise<{ readonly cache: Cache; readonly waitMs: (ms: number) => Promise<void>; readonly end: () => Promise<void> }>,
): void {
  describe(`the Cache contract: ${side}`, () => {
    let cache: Cache;
    let waitMs: (ms: number) => Promise<void>;
    let end: () => Promise<void>;
    beforeAll(async () => {
      ({ cache, waitMs, end } = await start());
    });
    afterAll(() => end());

    test('gives what was set, undefined for what was not', async () => {
      expect(cache.available).toBe(true);
      expect(await cache.get('set')).toBeUndefined();
      await cache.set('set', 'one', 60_000);
      await cache.set('set', 'två ☃', 60_000);
      expect(await cache.get('set')).toBe('två ☃');
      await cache.set('empty', '', 60_000);
      expect(await cache.get('empty')).toBe('');
    });

    test('forgets what was deleted; deleting nothing is fine', async () => {
      await cache.set('deleted', 'x', 60_000);
      await cache.delete('deleted');
      await cache.delete('deleted');
      expect(await cache.get('deleted')).toBeUndefined();
    });

    test('forgets when the time is over', async () => {
      await cache.set('short', 'x', 60);
      await cache.set('long', 'x', 60_000);
      await waitMs(120);
      expect(await cache.get('short')).toBeUndefined();
      expect(await cache.get('long')).toBe('x');
    });

    test('setIfAbsent: one of many wins; after its time the next may', async () => {
      const won = await Promise.all(Array.from({ length: 20 }, (_, i) => cache.setIfAbsent('once', String(i), 100)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await cache.get('once')).toBe(String(won.indexOf(true)));
      await waitMs(200);
      expect(await cache.setIfAbsent('once', 'again', 60_000)).toBe(true);
    });

    test('increment counts each call once, and gives each another sum', async () => {
      const sums = await Promise.all(Array.from({ length: 50 }, () => cache.increment('count', 2, 60_000)));
      expect(sums.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => 2 * (i + 1)));
      expect(await cache.get('count')).toBe('100');
    });

    test('a counter expires its time after the FIRST increment; later ones do not prolong it', async () => {
      await cache.increment('window', 1, 300);
      await waitMs(200);
      expect(await cache.increment('window', 1, 300)).toBe(2);
      await waitMs(200);
      expect(await cache.increment('window', 1, 300)).toBe(1);
    });

    test('incrementing what is no number is an error of the caller', async () => {
      await cache.set('word', 'abc', 60_000);
      await expect(cache.increment('word', 1, 1_000)).rejects.toBeInstanceOf(TypeError);
    });
  });
}
