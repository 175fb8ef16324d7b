import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentOf, docOf, editHistory } from './edit-history.test-data.ts';
import { Tail } from './tail.ts';

test('whoever has everything up to a position gets all the rest from `since`, whatever was dropped below it', () => {
  fc.assert(
    fc.property(editHistory(), fc.nat(), fc.nat(), ({ updates, after }, a, b) => {
      const [dropped, position] = [a % (updates.length + 1), b % (updates.length + 1)].toSorted((x, y) => x - y) as [number, number];
      const tail = new Tail();
      updates.forEach((update, i) => tail.push(i + 1, update));
      tail.dropThrough(dropped);
      const doc = docOf([...updates.slice(0, position), ...tail.since(position)]);
      expect(contentOf(doc)).toEqual(contentOf(after(updates.length)));
    }),
    { numRuns: 60 },
  );
});

test('a long tail is few chunks, and its bytes are counted', () => {
  const update = Uint8Array.of(0, 0);
  const tail = new Tail();
  for (let i = 1; i <= 10_000; i++) tail.push(i, update);
  expect(tail.since(0).length).toBeLessThan(200);
  expect(tail.bytes).toBe(tail.since(0).reduce((sum, each) => sum + each.byteLength, 0));
});

test('an earlier part put in front is given to whoever is further behind', () => {
  const tail = new Tail();
  const earlier = new Tail();
  earlier.push(1, Uint8Array.of(0, 0));
  tail.push(5, Uint8Array.of(0, 0));
  tail.prepend(earlier);
  expect(tail.since(0)).toHaveLength(2);
  expect(tail.since(1)).toHaveLength(1);
});

test('large updates, which no merging makes fewer, are kept as they are, each at its position', () => {
  const update = new Uint8Array(256 * 1024);
  const tail = new Tail();
  for (let i = 1; i <= 200; i++) tail.push(i, update);
  expect(tail.since(150)).toHaveLength(50);
  tail.dropThrough(190);
  expect(tail.bytes).toBe(10 * update.byteLength);
});
