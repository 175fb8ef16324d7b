import { expect, test } from 'vitest';
import { tableOf } from './report.ts';
import { spreadOf } from './statistics.ts';
import type { Figures } from './step.ts';

const figures: Figures = {
  name: 'a: step',
  ns: 1_234.5,
  nsLow: 1_200,
  nsHigh: 1_300,
  heapBytes: 232,
  bufferBytes: 0.02,
  objects: 2.5,
  allocators: [],
};
const cellsOf = (line: string): string[] => line.trim().split(/ {2,}/);

test('the median and the quarters, whatever the order', () => {
  expect(spreadOf([9, 1, 5, 3, 7, 1_000, 2, 8])).toEqual({ median: 7, low: 3, high: 9 });
  expect(spreadOf([4])).toEqual({ median: 4, low: 4, high: 4 });
  expect(() => spreadOf([])).toThrow('at least one');
});

test('a line a step, three figures that mean something', () => {
  const [head, line] = [...tableOf([figures])];
  expect(cellsOf(head!)).toEqual(['step', 'ns/op', '±', 'ops/s', 'heap B/op', 'buffer B/op', 'objects/op']);
  expect(cellsOf(line!)).toEqual(['a: step', '1,230', '4 %', '810,000', '232', '0', '2.5']);
});

test('ratios to an earlier run; none for a step it did not have, nor for what is noise', () => {
  const earlier = [{ ...figures, ns: 617.25, heapBytes: 464 }];
  const lines = [...tableOf([figures, { ...figures, name: 'b: new step' }], earlier)];
  expect(cellsOf(lines[1]!).slice(-3)).toEqual(['x2.00', 'x0.50', '–']);
  expect(cellsOf(lines[2]!)).toHaveLength(7);
  expect(cellsOf([...tableOf([{ ...figures, bufferBytes: 80 }], earlier)][1]!).at(-1)).toBe('new');
});
