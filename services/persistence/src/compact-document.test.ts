import fc from 'fast-check';
import { mergeUpdatesInTree, scanUpdate } from '@weft/updates';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { assertLossless, compactDocument, CompactionLossy, PIECE_BYTES } from './compact-document.ts';
import { typist } from './typist.test-data.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const rows = (updates: readonly Uint8Array[]) => updates.map((update, id) => ({ id, update }));

function docOf(updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

/** Edits of several people, each from what it has seen so far, which is not always all. */
const editsArbitrary = fc
  .array(
    fc.record({ who: fc.nat(3), sees: fc.boolean(), at: fc.nat(), kind: fc.nat(3), text: fc.string({ minLength: 1, maxLength: 8 }) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((edits) => {
    const docs = [0, 1, 2, 3].map((index) => Object.assign(new Y.Doc(), { clientID: index + 1 }));
    const updates: Uint8Array[] = [];
    for (const { who, sees, at, kind, text } of edits) {
      const doc = docs[who];
      if (doc === undefined) continue;
      if (sees) for (const update of updates) Y.applyUpdate(doc, update);
      const before = Y.snapshot(doc);
      const shared = doc.getText('t');
      const vector = Y.encodeStateVector(doc);
      if (kind < 2) shared.insert(at % (shared.length + 1), text);
      else if (kind === 2 && shared.length > 0) shared.delete(at % shared.length, 1);
      else doc.getMap('m').set(text, at);
      if (!Y.equalSnapshots(before, Y.snapshot(doc))) updates.push(Y.encodeStateAsUpdate(doc, vector));
    }
    return updates;
  });

test('[PE9] a document is the same after any number of compactions, wherever they are made', () => {
  fc.assert(
    fc.property(editsArbitrary, fc.array(fc.nat(40), { maxLength: 3 }), (updates, cuts) => {
      let pieces: readonly Uint8Array[] = [];
      let from = 0;
      for (const to of [...cuts.toSorted((a, b) => a - b), updates.length]) {
        const result = compactDocument({ pieces, tail: rows(updates.slice(from, to)) });
        expect(result.bad).toEqual([]);
        pieces = result.snapshot.pieces;
        from = Math.max(from, to);
      }
      const [made, plain] = [docOf(pieces), docOf(updates)];
      expect(made.toJSON()).toEqual(plain.toJSON());
      expect(Y.equalSnapshots(Y.snapshot(made), Y.snapshot(plain))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('[PE9] structs and deletes that wait for what has not come are kept, and fall into place when it comes', () => {
  fc.assert(
    fc.property(editsArbitrary, fc.nat(40), (updates, missing) => {
      const hole = missing % updates.length;
      const first = compactDocument({ pieces: [], tail: rows(updates.toSpliced(hole, 1)) });
      const second = compactDocument({ pieces: first.snapshot.pieces, tail: [] });
      const late = compactDocument({ pieces: second.snapshot.pieces, tail: rows(updates.slice(hole, hole + 1)) });
      expect(docOf(late.snapshot.pieces).toJSON()).toEqual(docOf(updates).toJSON());
    }),
    { numRuns: 60 },
  );
});

test('[PE9] state vector and deletes are those of the pieces', () => {
  const { doc, type } = typist();
  const updates = Array.from({ length: 50 }, () => type('word '));
  doc.getText('t').delete(3, 9);
  const { snapshot } = compactDocument({ pieces: [], tail: rows([...updates, Y.encodeStateAsUpdate(doc)]) });
  expect(snapshot.stateVector).toEqual(Y.encodeStateVector(doc));
  expect(scanUpdate(snapshot.deletes)).toEqual({ ranges: [], deletes: true });
});

test('[PE9] a large document is cut into pieces that apply one after the other', () => {
  const { type, doc } = typist();
  const updates = Array.from({ length: 30 }, (_, index) => type(`${index} `.repeat(30_000)));
  const { snapshot } = compactDocument({ pieces: [], tail: rows(updates) });
  expect(snapshot.pieces.length).toBeGreaterThan(5);
  expect(Math.max(...snapshot.pieces.map(({ length }) => length))).toBeLessThan(PIECE_BYTES * 1.2);
  expect(docOf(snapshot.pieces).getText('t').length).toBe(doc.getText('t').length);
});

/** Found by fuzzing: two clients with one id, so the second's origin lies in what the first put elsewhere. Passes every structural check, throws when applied. */
const base = ['010201002701016d026b310204000100017100', '010201022701016d026b3101280001020161017d0100'].map(hex);
const poison = hex('01010102040101740361620000');

test('[PE10] an update that throws when applied is taken out, and the rest is there', () => {
  scanUpdate(poison);
  expect(() => docOf([...base, poison])).toThrow();
  const { type, doc } = typist(77);
  const good = [type('be'), type('fore'), type(' after')];
  const { snapshot, bad } = compactDocument({ pieces: [], tail: rows([...base, ...good.slice(0, 2), poison, ...good.slice(2)]) });
  expect(bad.map(({ update }) => update)).toEqual([poison]);
  expect(bad[0]?.reason).toContain('cannot be applied');
  expect(docOf(snapshot.pieces).getText('t').toString()).toBe(doc.getText('t').toString());
});

test('[PE10] of a flushed row only the bad part is taken out, not what others wrote in the same second', () => {
  const { type, doc } = typist(77);
  const row = mergeUpdatesInTree([type('hello '), poison, type('world')]);
  const { snapshot, bad } = compactDocument({ pieces: [], tail: rows([...base, row]) });
  expect(bad).toHaveLength(1);
  expect(scanUpdate(bad[0]?.update ?? row).ranges).toEqual(scanUpdate(poison).ranges);
  expect(docOf(snapshot.pieces).getText('t').toString()).toBe(doc.getText('t').toString());
});

test('[PE9] a result that would miss something is refused', () => {
  const { type, doc } = typist();
  const updates = [type('a'), type('b')];
  expect(() => assertLossless(updates, updates.slice(0, 1))).toThrow(CompactionLossy);
  expect(() => assertLossless(updates, updates.slice(1))).toThrow(CompactionLossy);
  doc.getText('t').delete(0, 1);
  const all = Y.encodeStateAsUpdate(doc);
  expect(() => assertLossless([all], updates)).toThrow(/lose deletes/);
  assertLossless([...updates, all], [all]);
});
