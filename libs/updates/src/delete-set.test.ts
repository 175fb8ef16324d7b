import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { DeleteSet, deletesOf } from './delete-set.ts';
import { MalformedUpdate } from './malformed-update.ts';
import { randomHistory } from './random-document.test-data.ts';
import { scanUpdate } from './scan-update.ts';

/** A delete set as the plain set of `client:clock` it means, and an update that carries it. */
const deletions = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat({ max: 60 }), fc.integer({ min: 1, max: 6 })), { maxLength: 40 })
  .map((ranges) => {
    const clocks = new Set<string>();
    for (const [client, from, length] of ranges) for (let i = 0; i < length; i++) clocks.add(`${client}:${from + i}`);
    return { clocks, update: updateDeleting(clocks) };
  });

function updateDeleting(clocks: ReadonlySet<string>): Uint8Array {
  const bytes = [0];
  const clients = [3, 2, 1].filter((client) => [...clocks].some((clock) => clock.startsWith(`${client}:`)));
  bytes.push(clients.length);
  for (const client of clients) {
    const own = [...clocks].filter((clock) => clock.startsWith(`${client}:`)).map((clock) => Number(clock.split(':')[1]));
    own.sort((a, b) => a - b);
    const ranges: [number, number][] = [];
    for (const clock of own) {
      const last = ranges.at(-1);
      if (last !== undefined && last[0] + last[1] === clock) last[1] += 1;
      else ranges.push([clock, 1]);
    }
    bytes.push(client, ranges.length, ...ranges.flat());
  }
  return Uint8Array.from(bytes);
}

test('[DS1] adding is union: in any order, idempotent, and written with sorted, merged ranges', () => {
  fc.assert(
    fc.property(fc.array(deletions, { maxLength: 5 }), (sets) => {
      const all = new DeleteSet();
      for (const { update } of sets) all.add(update);
      const union = new Set(sets.flatMap(({ clocks }) => [...clocks]));
      expect(all.toUpdate()).toEqual(updateDeleting(union));
      expect(all.isEmpty).toBe(union.size === 0);
      for (const { update } of sets.toReversed()) all.add(update);
      expect(all.toUpdate()).toEqual(updateDeleting(union));
      expect(deletesOf(sets.map(({ update }) => update))).toEqual(updateDeleting(union));
    }),
  );
});

test('[DS2] contains is subset', () => {
  fc.assert(
    fc.property(deletions, deletions, (a, b) => {
      const both = DeleteSet.ofUpdate(a.update);
      both.add(b.update);
      expect(both.contains(DeleteSet.ofUpdate(a.update))).toBe(true);
      const contained = [...b.clocks].every((clock) => a.clocks.has(clock));
      expect(DeleteSet.ofUpdate(a.update).contains(DeleteSet.ofUpdate(b.update))).toBe(contained);
    }),
  );
});

test('[DS3] takes the delete set of real updates as Yjs reads it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const { updates } = randomHistory(seed, 40);
      const merged = Y.decodeUpdate(Y.mergeUpdates([...updates])).ds;
      expect(Y.decodeUpdate(deletesOf(updates)).ds).toEqual(merged);
    }),
    { numRuns: 60 },
  );
});

test('[DS4] cut into updates it is still the same set, each of them about the size asked for', () => {
  const bytes = [0, 1, 1, 0x80 | (20_000 & 127), ((20_000 >> 7) & 127) | 128, 20_000 >> 14];
  for (let i = 0; i < 20_000; i++) {
    const clock = i * 3;
    bytes.push(0x80 | (clock & 127), 0x80 | ((clock >> 7) & 127), clock >> 14, 1);
  }
  const update = Uint8Array.from(bytes);
  const updates = DeleteSet.ofUpdate(update).toUpdates(10_000);
  expect(updates.length).toBeGreaterThan(6);
  for (const one of updates) expect(one.length).toBeLessThan(11_000);
  // Compared as buffers: expect walks large arrays for seconds.
  expect(Buffer.compare(deletesOf(updates), DeleteSet.ofUpdate(update).toUpdate())).toBe(0);
  expect(new DeleteSet().toUpdates(100)).toEqual([]);
});

test('[DS5] a malformed update adds nothing', () => {
  const set = new DeleteSet();
  expect(() => set.add(Uint8Array.of(0, 1, 1, 2, 0, 1))).toThrow(MalformedUpdate);
  expect(() => set.add(Uint8Array.of(0, 1, 1, 1, 0, 1, 9))).toThrow(MalformedUpdate);
  expect(set.isEmpty).toBe(true);
  expect(scanUpdate(set.toUpdate()).deletes).toBe(false);
});
