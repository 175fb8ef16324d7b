import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ratioTo, spreadOf } from './spread.ts';

test('an odd number of rounds has one in the middle, an even number the mean of two', () => {
  expect(spreadOf([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30, rounds: 3 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, rounds: 4 });
  expect(spreadOf([])).toBeUndefined();
});

test('at most half of the values lie below the median, and at most half above', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const { median = Number.NaN, min, max } = spreadOf(values) ?? {};
      expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(values.length / 2);
      expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(values.length / 2);
      expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
    }),
  );
});

test('rounds run in turns are compared round by round: a machine that slows down for both changes nothing', () => {
  expect(ratioTo([10, 20, 40], [5, 10, 20])).toEqual({ median: 2, min: 2, max: 2, rounds: 3 });
});

test('unequal numbers of rounds are compared median by median', () => {
  expect(ratioTo([10, 20, 90], [10])).toEqual({ median: 2, min: 2, max: 2, rounds: 1 });
});

test('there is no ratio to 0 or to nothing', () => {
  expect(ratioTo([1], [0])).toBeUndefined();
  expect(ratioTo([1], [])).toBeUndefined();
});
