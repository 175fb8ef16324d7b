import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { diffUpdate } from './diff-update.ts';
import { MalformedUpdate } from './malformed-update.ts';
import { Random, randomHistory } from './random-document.test-data.ts';
import { decodeStateVector, MalformedStateVector } from './state-vector.ts';

const NOTHING = Uint8Array.of(0);
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

test('[DU1] equals Y.diffUpdate at any state vector', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = new Random(seed);
      const { updates, whole } = randomHistory(seed);
      const holey = Y.mergeUpdates(updates.filter(() => random.chance(70)).concat(updates.slice(0, 1)));
      for (const update of [whole, holey]) {
        const full = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(whole));
        const some = new Map([...full].filter(() => random.chance(80)).map(([client, clock]) => [client, random.below(clock + 2)]));
        const encoded = Y.encodeStateVector(some);
        const diff = diffUpdate(update, encoded);
        // Through Yjs once more, which drops a flag bit that means nothing beside an origin (0x20).
        expect(Y.diffUpdate(diff, NOTHING)).toEqual(Y.diffUpdate(update, encoded));
        expect(diffUpdate(update, decodeStateVector(encoded))).toEqual(diff);
      }
    }),
    { numRuns: 50 },
  );
});

test('[DU2] what is malformed is refused by name', () => {
  expect(() => diffUpdate(Uint8Array.of(0, 0, 7), Uint8Array.of(0))).toThrow(MalformedUpdate);
  expect(() => diffUpdate(Uint8Array.of(0, 0), Uint8Array.of(1, 1))).toThrow(MalformedStateVector);
  expect(() => diffUpdate(Uint8Array.of(0, 0), Uint8Array.of(0, 0))).toThrow(MalformedStateVector);
});
