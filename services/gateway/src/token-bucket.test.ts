import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

test('[GW30] gives never more than the burst and what has come since', () => {
  const calls = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 3_000 }), amount: fc.integer({ min: 1, max: 50 }) }), {
    maxLength: 100,
  });
  fc.assert(
    fc.property(calls, (wanted) => {
      const bucket = new TokenBucket({ perSecond: 10, burst: 30 }, 0);
      let nowMs = 0;
      let taken = 0;
      for (const { waitMs, amount } of wanted) {
        nowMs += waitMs;
        if (bucket.take(amount, nowMs)) taken += amount;
        expect(taken).toBeLessThanOrEqual(30 + nowMs / 100 + 1e-6);
      }
    }),
  );
});

test('[GW30] gives all that has come to who asks for no more', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 30 }, 0);
  expect(bucket.take(30, 0)).toBe(true);
  expect(bucket.take(1, 99)).toBe(false);
  for (let nowMs = 200; nowMs < 100_000; nowMs += 100) expect(bucket.take(1, nowMs)).toBe(true);
  // A quiet hour fills it, and no more.
  expect(bucket.take(31, 3_700_000)).toBe(false);
  expect(bucket.take(30, 3_700_000)).toBe(true);
});
