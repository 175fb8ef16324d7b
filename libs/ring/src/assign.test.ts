import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assign } from './index.ts';

const cluster = fc.record({
  partitions: fc.integer({ min: 1, max: 300 }),
  ids: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 30 }),
});

test('[RI4] every partition has one owner, whatever the order of ids', () => {
  fc.assert(
    fc.property(cluster, fc.infiniteStream(fc.nat()), ({ partitions, ids }, random) => {
      const owners = assign(partitions, ids);
      expect(owners).toHaveLength(partitions);
      expect(owners.every((owner) => owner !== undefined && ids.includes(owner))).toBe(true);
      const shuffled = ids.map((id) => ({ id, at: random.next().value as number })).toSorted((a, b) => a.at - b.at);
      expect(
        assign(
          partitions,
          shuffled.map(({ id }) => id),
        ),
      ).toEqual(owners);
    }),
  );
});

test('[RI4] nobody there: nobody owns', () => {
  expect(assign(3, [])).toEqual([undefined, undefined, undefined]);
});

test('[RI5] nobody owns more than 1.1 times the mean, rounded up', () => {
  fc.assert(
    fc.property(cluster, ({ partitions, ids }) => {
      const counts = countBy(assign(partitions, ids));
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(Math.ceil((partitions / ids.length) * 1.1));
    }),
  );
});

test('[RI6] a member that leaves moves about its share; joining is the same backwards', () => {
  for (const [partitions, members] of [
    [128, 2],
    [128, 8],
    [128, 30],
    [1024, 20],
    [1024, 200],
  ] as const) {
    const share = partitions / members;
    const moved = Array.from({ length: 30 }, (_, round) => {
      const ids = Array.from({ length: members }, (_, member) => `worker-${round}-${member}`);
      return countMoved(assign(partitions, ids), assign(partitions, ids.slice(1)));
    });
    expect(Math.max(...moved)).toBeLessThanOrEqual(Math.max(3 * share, share + 6));
    expect(moved.reduce((sum, count) => sum + count, 0) / moved.length).toBeLessThanOrEqual(1.5 * share + 1);
  }
});

test('[RI12] 1,024 partitions over 200 members in less than 50 ms', () => {
  const ids = Array.from({ length: 200 }, (_, member) => `worker-${member}`);
  assign(1024, ids);
  const times = Array.from({ length: 5 }, () => {
    const beginMs = performance.now();
    assign(1024, ids);
    return performance.now() - beginMs;
  });
  // The best of five: other tests share the cores.
  expect(Math.min(...times)).toBeLessThan(50);
});

function countBy(owners: readonly (string | undefined)[]): Map<string | undefined, number> {
  const counts = new Map<string | undefined, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
}

function countMoved(before: readonly (string | undefined)[], after: readonly (string | undefined)[]): number {
  return before.filter((owner, partition) => owner !== after[partition]).length;
}
