import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linearTicks, logTicks, timeTicks } from './ticks.ts';

test.each([
  [1600, [0, 500, 1000, 1500, 2000]],
  [0.7, [0, 0.2, 0.4, 0.6, 0.8]],
  [100, [0, 50, 100]],
  [0, [0, 1]],
])('up to %d', (max, ticks) => {
  expect(linearTicks(max, 4)).toEqual(ticks);
});

test('linear ticks hold the largest value, few and evenly apart', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (max) => {
      const ticks = linearTicks(max, 4);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-6));
      expect(ticks.length).toBeLessThanOrEqual(6);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
    }),
  );
});

test('powers of ten over many decades, their 2 and 5 too over few', () => {
  expect(logTicks(0.07, 56)).toEqual([0.01, 0.1, 1, 10, 100]);
  expect(logTicks(3, 30)).toEqual([2, 5, 10, 20, 50]);
  expect(logTicks(10, 10)).toEqual([10, 20]);
});

test('logarithmic ticks hold everything between them', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e5, noNaN: true }), fc.double({ min: 1, max: 1e5, noNaN: true }), (min, factor) => {
      const ticks = logTicks(min, min * factor);
      expect(ticks[0]).toBeLessThanOrEqual(min * 1.000_01);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(min * factor * 0.999_99);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
    }),
  );
});

test('time in the unit its step is whole in, which the last label names', () => {
  expect(timeTicks(68, 4).map(({ label }) => label)).toEqual(['0', '30', '60 s']);
  expect(timeTicks(1800, 6)).toEqual(
    [0, 5, 10, 15, 20, 25, 30].map((minutes) => ({ at: minutes * 60, label: minutes === 30 ? '30 min' : String(minutes) })),
  );
  expect(timeTicks(4 * 3600, 4).at(-1)).toEqual({ at: 14_400, label: '4 h' });
});
