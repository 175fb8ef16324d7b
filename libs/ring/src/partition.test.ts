import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashText } from './hash.ts';
import { partitionOf, sliceOf } from './index.ts';

// Written down once. A change here means that every installed log is read wrongly: change the code back, not the numbers.
test('[RI1] golden values', () => {
  const names = ['', 'a', 'b', 'notes', 'notes/1', 'notes/2', 'Grüße', '日本語', '👩‍👩‍👧', 'x'.repeat(255)];
  expect(names.map(hashText)).toEqual(GOLDEN_HASHES);
  expect(names.map((name) => partitionOf(name, 128))).toEqual(GOLDEN_HASHES.map((hash) => hash % 128));
});

const GOLDEN_HASHES = [2872998923, 444641715, 2193908274, 660679973, 4169491519, 516830519, 243007994, 3932500114, 2550890143, 364276906];

test('[RI1] always a partition, always the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 4096 }), (name, partitions) => {
      const partition = partitionOf(name, partitions);
      expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
      expect(partitionOf(`${name}`, partitions)).toBe(partition);
    }),
  );
});

test.each([
  ['counted', (i: number) => `document-${i}`],
  ['one character', (i: number) => String.fromCodePoint(0x100 + i)],
  ['long common prefix', (i: number) => `${'organisation/team/folder/'.repeat(8)}${i.toString(36)}`],
])('[RI2] %s names spread evenly (chi-squared)', (_kind, name) => {
  const [partitions, names] = [128, 20_000];
  const counts = Array.from({ length: partitions }, () => 0);
  for (let i = 0; i < names; i++) counts[partitionOf(name(i), partitions)]! += 1;
  const mean = names / partitions;
  const chiSquared = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  // 127 degrees of freedom: mean 127, deviation 16; six deviations.
  expect(chiSquared).toBeLessThan(127 + 6 * 16);
});

test('[RI3] slices get equal shares', () => {
  for (const slices of [1, 2, 3, 8, 16]) {
    const counts = Array.from({ length: slices }, () => 0);
    for (let partition = 0; partition < 128; partition++) counts[sliceOf(partition, slices)]! += 1;
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
});
