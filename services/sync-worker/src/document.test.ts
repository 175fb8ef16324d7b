import type { StoredDocument } from '@weft/store';
import { deletesOf, scanUpdate, splitUpdate } from '@weft/updates';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { completeDeletes } from './complete-deletes.ts';
import { OpenDocument } from './document.ts';
import { contentOf, docOf, editHistory } from './edit-history.test-data.ts';
import { Tail } from './tail.ts';

/** The first `compacted` updates are the snapshot, up to `stored` are rows, the rest is the log's; `overlap` of the rows are still in the tail too. */
function openDocument(updates: readonly Uint8Array[], compacted: number, stored: number, overlap: number): OpenDocument {
  const state = Y.encodeStateAsUpdate(docOf(updates.slice(0, compacted)));
  const snapshot: StoredDocument['snapshot'] = {
    version: 1,
    pieces: compacted > 0 ? splitUpdate(state, 64) : [],
    stateVector: Y.encodeStateVectorFromUpdate(state),
    deletes: deletesOf([state]),
  };
  const tail = new Tail();
  const from = Math.max(0, stored - overlap);
  updates.slice(from, stored).forEach((update, i) => tail.push(from + i + 1, update));
  const document = new OpenDocument(
    { snapshot, tail: updates.slice(compacted, stored), floor: { identity: 'log', position: stored } },
    tail,
    { identity: 'log', base: from },
  );
  updates.slice(stored).forEach((update, i) => document.push(stored + i + 1, update, scanUpdate(update)));
  return document;
}

function findDeletes(document: OpenDocument): void {
  const { changes, updates } = document.everything();
  document.deletesKnown(changes, completeDeletes(updates));
}

const cuts = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat());

test('a client that has any earlier state is brought to the present, and never past what it can integrate', () => {
  fc.assert(
    fc.property(editHistory(), cuts, ({ updates, after }, [a, b, c, d]) => {
      const [compacted, stored] = [a % (updates.length + 1), b % (updates.length + 1)].toSorted((x, y) => x - y) as [number, number];
      const document = openDocument(updates, compacted, stored, c % 5);
      const client = after(d % (updates.length + 1));
      for (const update of document.forStateVector(Y.encodeStateVector(client))) Y.applyUpdate(client, update);
      expect(contentOf(client)).toEqual(contentOf(after(updates.length)));
    }),
    { numRuns: 100 },
  );
});

test('the state vector is that of the whole document', () => {
  fc.assert(
    fc.property(editHistory(), cuts, ({ updates, after }, [a, b, c]) => {
      const [compacted, stored] = [a % (updates.length + 1), b % (updates.length + 1)].toSorted((x, y) => x - y) as [number, number];
      const document = openDocument(updates, compacted, stored, c % 5);
      expect(Y.decodeStateVector(document.stateVector())).toEqual(Y.decodeStateVector(Y.encodeStateVector(after(updates.length))));
    }),
    { numRuns: 60 },
  );
});

test('[SW20] a snapshot that holds what waits for something earlier gives it to a client that is past the rest of it', () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const letter of 'abcd') doc.getText('text').insert(0, letter);
  const [first, second, third, fourth] = updates as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  // The log that had the first is lost; only this client still has it. What came after it is compacted, and waits.
  const document = openDocument([second, third, fourth], 3, 3, 0);
  const client = docOf([first]);
  for (const update of document.forStateVector(Y.encodeStateVector(client))) Y.applyUpdate(client, update);
  expect(client.getText('text').toJSON()).toBe('dcba');
});

test('while an update waits for an earlier one the state vector understates, and is whole again when it comes', () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const letter of 'abc') doc.getText('text').insert(0, letter);
  const document = openDocument([], 0, 0, 0);
  const push = (i: number): void => document.push(i + 1, updates[i]!, scanUpdate(updates[i]!));
  push(0);
  push(2);
  expect(Y.decodeStateVector(document.stateVector()).get(doc.clientID)).toBe(1);
  push(1);
  expect(Y.decodeStateVector(document.stateVector()).get(doc.clientID)).toBe(3);
});

test('contains: all of what it has, none of what it lacks, deletes included', () => {
  fc.assert(
    fc.property(editHistory(60), fc.nat(), ({ updates, after }, a) => {
      const known = a % (updates.length + 1);
      const document = openDocument(updates.slice(0, known), 0, 0, 0);
      const all = Y.encodeStateAsUpdate(after(known));
      if (document.contains(all) === 'unknown') findDeletes(document);
      expect(document.contains(all)).toBe(true);
      const fresh = after(known);
      const before = Y.encodeStateVector(fresh);
      fresh.getText('text').insert(0, 'new');
      expect(document.contains(Y.encodeStateAsUpdate(fresh, before))).toBe(false);
      const deleted = after(known);
      if (deleted.getText('text').length === 0) return;
      deleted.getText('text').delete(0, 1);
      findDeletes(document);
      expect(document.contains(Y.encodeStateAsUpdate(deleted, Y.encodeStateVector(deleted)))).toBe(false);
    }),
    { numRuns: 60 },
  );
});

test('the same question again is answered from the cache until something changes', () => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'hello');
  const stateVector = Y.encodeStateVector(doc);
  doc.getText('text').insert(5, ' world');
  const document = openDocument([Y.encodeStateAsUpdate(doc)], 0, 0, 0);
  const first = document.forStateVector(stateVector);
  expect(document.forStateVector(stateVector)).toBe(first);
  document.push(2, Uint8Array.of(0, 0), scanUpdate(Uint8Array.of(0, 0)));
  expect(document.forStateVector(stateVector)).not.toBe(first);
});

test('a delete that follows from two values set for one key at once is found by completeDeletes, and only then known', () => {
  const [a, b] = [new Y.Doc(), new Y.Doc()] as const;
  a.getMap('map').set('key', 1);
  b.getMap('map').set('key', 2);
  const document = openDocument([Y.encodeStateAsUpdate(a), Y.encodeStateAsUpdate(b)], 0, 0, 0);
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b));
  const both = Y.encodeStateAsUpdate(a);
  expect(document.contains(both)).toBe('unknown');
  findDeletes(document);
  expect(document.contains(both)).toBe(true);
});
