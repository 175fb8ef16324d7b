import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { mergeUpdatesInTree } from './merge-updates.ts';
import { contentOf, Random, randomHistory } from './random-document.test-data.ts';
import { EMPTY_UPDATE, scanUpdate } from './scan-update.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0]!);
}

test('[MU1] merged in any order and any grouping, doubled and overlapping, updates make the same document', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = new Random(seed);
      const { updates, whole } = randomHistory(seed);
      let level = shuffled([...updates, ...updates.filter(() => random.chance(20)), ...(random.chance(30) ? [whole] : [])], random);
      while (level.length > 1) {
        const size = 2 + random.below(8);
        level = Array.from({ length: Math.ceil(level.length / size) }, (_, i) =>
          mergeUpdatesInTree(level.slice(i * size, i * size + size)),
        );
        for (const update of level) scanUpdate(update);
        expect(contentOf(shuffled(level, random))).toEqual(contentOf(whole));
      }
      expect(contentOf(level[0]!)).toEqual(contentOf(whole));
    }),
    { numRuns: 50 },
  );
});

test('[MU2] with holes it brings the same ranges and deletes as Y.mergeUpdates', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = new Random(seed);
      const { updates, whole } = randomHistory(seed);
      const some = shuffled(updates, random).filter(() => random.chance(50));
      if (some.length === 0) return;
      const merged = mergeUpdatesInTree(some);
      const byYjs = Y.mergeUpdates(some);
      expect(scanUpdate(merged).ranges).toEqual(scanUpdate(byYjs).ranges);
      expect(Y.decodeUpdate(merged).ds).toEqual(Y.decodeUpdate(byYjs).ds);
      expect(contentOf([merged, whole])).toEqual(contentOf(whole));
      expect(contentOf(merged)).toEqual(contentOf(byYjs));
    }),
    { numRuns: 50 },
  );
});

test('[MU3] nothing merges to the empty update, one to itself', () => {
  expect(mergeUpdatesInTree([])).toEqual(EMPTY_UPDATE);
  const one = Uint8Array.of(9, 9);
  expect(mergeUpdatesInTree([one])).toBe(one);
});

test('[MU4] typing in separate updates becomes one struct', () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  const words = 'The quick brown 🦊 jumps';
  for (const letter of words) doc.getText('text').insert(doc.getText('text').length, letter);
  const merged = mergeUpdatesInTree(updates);
  expect(Y.decodeUpdate(merged).structs.length).toBe(1);
  expect(merged.length).toBeLessThan(words.length + 30);
});

test('[MU4] a text that grows until its length takes another byte is written as Yjs writes it', () => {
  for (const pasted of [1, 126, 127, 128, 16_382, 16_383, 16_384]) {
    for (const letters of [1, 2, 300]) {
      const doc = new Y.Doc();
      const updates: Uint8Array[] = [];
      doc.on('update', (update: Uint8Array) => updates.push(update));
      const text = doc.getText('text');
      text.insert(0, 'x'.repeat(pasted));
      for (let i = 0; i < letters; i++) text.insert(text.length, 'y');
      expect(mergeUpdatesInTree(updates)).toEqual(Y.encodeStateAsUpdate(doc));
      // In two steps: merged texts go on as well as typed ones.
      const half = Math.ceil(updates.length / 2);
      const halves = [mergeUpdatesInTree(updates.slice(0, half)), mergeUpdatesInTree(updates.slice(half))];
      expect(mergeUpdatesInTree(halves)).toEqual(Y.encodeStateAsUpdate(doc));
    }
  }
});
