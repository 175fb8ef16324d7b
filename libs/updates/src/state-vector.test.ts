import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { Random, randomHistory } from './random-document.test-data.ts';
import { scanUpdate } from './scan-update.ts';
import {
  advanceStateVector,
  coversRanges,
  decodeStateVector,
  encodeStateVector,
  MalformedStateVector,
  stateVectorOf,
} from './state-vector.ts';

const stateVectors = fc
  .uniqueArray(fc.tuple(fc.maxSafeNat(), fc.nat({ max: 2 ** 31 })), { selector: ([client]) => client })
  .map((pairs) => new Map(pairs));
const scanOf = (...ranges: [client: number, from: number, to: number][]) => ({
  ranges: ranges.map(([client, from, to]) => ({ client, from, to })),
  deletes: false,
});

test('[SV1] round-trips, and reads and writes as Yjs does', () => {
  fc.assert(
    fc.property(stateVectors, (stateVector) => {
      const bytes = encodeStateVector(stateVector);
      expect(decodeStateVector(bytes)).toEqual(stateVector);
      expect(Y.decodeStateVector(bytes)).toEqual(stateVector);
      expect(Y.encodeStateVector(stateVector)).toEqual(bytes);
    }),
  );
});

test('[SV2] anything else is refused with MalformedStateVector, trailing bytes too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeStateVector(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedStateVector);
      }
    }),
  );
  expect(() => decodeStateVector(Uint8Array.of(0, 0))).toThrow(MalformedStateVector);
  expect(() => decodeStateVector(Uint8Array.of(1, 7))).toThrow(MalformedStateVector);
  expect(() => decodeStateVector(new Uint8Array(0))).toThrow(MalformedStateVector);
});

test('[SV3] moves forward only over ranges that join up', () => {
  const stateVector = new Map([[1, 5]]);
  advanceStateVector(stateVector, scanOf([1, 6, 9], [2, 0, 3], [2, 4, 6], [3, 1, 2]));
  expect(stateVector).toEqual(
    new Map([
      [1, 5],
      [2, 3],
    ]),
  );
  advanceStateVector(stateVector, scanOf([1, 0, 4], [1, 5, 7], [1, 7, 8]));
  expect(stateVector.get(1)).toBe(8);
});

test('[SV4] covers an update exactly if it has every one of its ranges', () => {
  const stateVector = new Map([[1, 5]]);
  expect(coversRanges(stateVector, scanOf())).toBe(true);
  expect(coversRanges(stateVector, scanOf([1, 2, 5]))).toBe(true);
  expect(coversRanges(stateVector, scanOf([1, 2, 6]))).toBe(false);
  expect(coversRanges(stateVector, scanOf([1, 0, 5], [2, 0, 1]))).toBe(false);
});

test('[SV5] the state vector of many updates is that of the document they make, in any order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const random = new Random(seed);
      const { updates, whole } = randomHistory(seed, 30);
      const left = [...updates];
      const shuffled = updates.map(() => left.splice(random.below(left.length), 1)[0]!);
      const advanced = new Map<number, number>();
      advanceStateVector(advanced, scanUpdate(whole));
      expect(stateVectorOf(shuffled)).toEqual(Y.encodeStateVectorFromUpdate(whole));
      expect(encodeStateVector(advanced)).toEqual(Y.encodeStateVectorFromUpdate(whole));
    }),
    { numRuns: 60 },
  );
});
