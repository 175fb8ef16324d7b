import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { PUBLISHED_AHEAD_MS, keptAt, nextSignsFrom, signingAt } from './key-plan.ts';
import type { StoredKey } from './stored-key.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = 1_800_000_000_000;
const key = (kid: string, signsFromMs: number, tokensUntilMs = 0): StoredKey => ({ kid, pem: '', signsFromMs, tokensUntilMs });

test('[A20] the youngest key whose time has come signs', () => {
  const keys = [key('next', NOW_MS + 1), key('now', NOW_MS), key('old', NOW_MS - DAY_MS)];
  expect(signingAt(keys, NOW_MS)?.kid).toBe('now');
  expect(signingAt(keys, NOW_MS + 1)?.kid).toBe('next');
  expect(signingAt(keys, 0)?.kid).toBe('old');
  expect(signingAt([], NOW_MS)).toBeUndefined();
});

describe('[A22] a retired key', () => {
  const keys = [key('old', 0), key('young', NOW_MS)];
  const kids = (nowMs: number, lifetimeMs: number, of = keys) => keptAt(of, nowMs, lifetimeMs).map(({ kid }) => kid);

  test('verifies until the last token it signed has ended', () => {
    expect(kids(NOW_MS + 2 * DAY_MS, 2 * DAY_MS)).toEqual(['old', 'young']);
    expect(kids(NOW_MS + 2 * DAY_MS + 60_000, 2 * DAY_MS)).toEqual(['young']);
  });

  test('verifies for a day at least: tokens may have lived longer yesterday', () => {
    expect(kids(NOW_MS + DAY_MS, 60_000)).toEqual(['old', 'young']);
    expect(kids(NOW_MS + DAY_MS + 60_000, 60_000)).toEqual(['young']);
  });

  test('verifies until the end of a token that lives longer than the usual', () => {
    const withLong = [key('old', 0, NOW_MS + 30 * DAY_MS), key('young', NOW_MS)];
    expect(kids(NOW_MS + 30 * DAY_MS, HOUR_MS, withLong)).toEqual(['old', 'young']);
    expect(kids(NOW_MS + 30 * DAY_MS + 60_000, HOUR_MS, withLong)).toEqual(['young']);
  });
});

describe('[A23] the next key', () => {
  test('is made so early that it is public for ten minutes before it signs, and once only', () => {
    const only = [key('a', NOW_MS)];
    const earliestMs = NOW_MS + DAY_MS - PUBLISHED_AHEAD_MS;
    expect(nextSignsFrom(only, earliestMs - 1, DAY_MS)).toBeUndefined();
    expect(nextSignsFrom(only, earliestMs, DAY_MS)).toBe(NOW_MS + DAY_MS);
    expect(nextSignsFrom([...only, key('b', NOW_MS + DAY_MS)], earliestMs, DAY_MS)).toBeUndefined();
  });

  test('that is overdue is not used before it was public either', () => {
    expect(nextSignsFrom([key('a', 0)], NOW_MS, DAY_MS)).toBe(NOW_MS + PUBLISHED_AHEAD_MS);
  });

  test('is the first where there is none, and signs at once; without a rotation there is no other', () => {
    expect(nextSignsFrom([], NOW_MS, Number.POSITIVE_INFINITY)).toBe(NOW_MS);
    expect(nextSignsFrom([key('a', 0)], NOW_MS, Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});

test('[A20] [A22] [A23] over a year of rotations every token of the usual lifetime is verified until it ends', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 5 * HOUR_MS }), { minLength: 50, maxLength: 200 });
  fc.assert(
    fc.property(
      fc.integer({ min: HOUR_MS, max: 40 * DAY_MS }),
      fc.integer({ min: 60_000, max: 3 * DAY_MS }),
      steps,
      (rotationMs, lifetimeMs, waits) => {
        let nowMs = NOW_MS;
        let keys: StoredKey[] = [key('k0', nowMs)];
        const tokens: { kid: string; untilMs: number }[] = [];
        waits.forEach((waitMs, index) => {
          nowMs += waitMs;
          keys = keptAt(keys, nowMs, lifetimeMs);
          const signsFromMs = nextSignsFrom(keys, nowMs, rotationMs);
          if (signsFromMs !== undefined) keys.push(key(`k${index + 1}`, signsFromMs));
          const kid = signingAt(keys, nowMs)!.kid;
          tokens.push({ kid, untilMs: nowMs + lifetimeMs });
          for (const token of tokens) if (token.untilMs > nowMs) expect(keys.map((one) => one.kid)).toContain(token.kid);
        });
      },
    ),
    { numRuns: 50 },
  );
});
