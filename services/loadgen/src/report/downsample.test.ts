import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketMeans, keptIndexes } from './downsample.ts';

test('of 1,800 seconds the one that spikes, the one that drops and the one without a value are kept', () => {
  const values = Array.from({ length: 1800 }, (_, second): number | undefined => 10 + (second % 3));
  values[911] = 400;
  values[1203] = 0;
  values[77] = undefined;
  const kept = keptIndexes(values, 100);
  expect(kept).toEqual(expect.arrayContaining([0, 77, 911, 1203, 1799]));
  expect(kept.length).toBeLessThanOrEqual(402);
});

test('whatever the series: few points in order, with its lowest and highest among them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer(), { nil: undefined, freq: 20 }), { maxLength: 2000 }),
      fc.integer({ min: 1, max: 50 }),
      (values, buckets) => {
        const kept = keptIndexes(values, buckets);
        expect(kept.length).toBeLessThanOrEqual(buckets * 4 + 2);
        expect(kept).toEqual([...new Set(kept)].toSorted((a, b) => a - b));
        const all = values.filter((value) => value !== undefined);
        const shown = kept.map((index) => values[index]).filter((value) => value !== undefined);
        expect([Math.min(...shown), Math.max(...shown)]).toEqual([Math.min(...all), Math.max(...all)]);
      },
    ),
  );
});

test('a short series is kept whole', () => {
  expect(keptIndexes([3, undefined, 1], 10)).toEqual([0, 1, 2]);
});

test('means of neighbours', () => {
  expect(bucketMeans([1, 3, 5, undefined], 2)).toEqual([2, 2.5]);
  expect(bucketMeans([1, 2], 5)).toEqual([1, 2]);
  expect(bucketMeans([], 5)).toEqual([]);
});
