import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { contentOf, randomHistory } from './random-document.test-data.ts';
import { scanUpdate } from './scan-update.ts';
import { splitUpdate } from './split-update.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

test('[SP1] [SP2] pieces applied in order never leave anything waiting and make the same document', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 400 }), (seed, bytesTarget) => {
      const { whole } = randomHistory(seed);
      const pieces = splitUpdate(whole, bytesTarget);
      const doc = new Y.Doc();
      for (const piece of pieces) {
        scanUpdate(piece);
        Y.applyUpdate(doc, piece);
        expect(doc.store.pendingStructs).toBeNull();
        expect(doc.store.pendingDs).toBeNull();
      }
      expect(contentOf(pieces)).toEqual(contentOf(whole));
      expect(contentOf(Y.encodeStateAsUpdate(doc))).toEqual(contentOf(whole));
    }),
    { numRuns: 100 },
  );
});
