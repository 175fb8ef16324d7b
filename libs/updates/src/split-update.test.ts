import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { contentOf, randomHistory } from './random-document.test-data.ts';
import { mergeUpdatesInTree } from './merge-updates.ts';
import { EMPTY_UPDATE, scanUpdate } from './scan-update.ts';
import { splitUpdate } from './split-update.ts';
import { stateVectorOf } from './state-vector.ts';

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
    { numRuns: 50 },
  );
});

function applied(pieces: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const piece of pieces) {
    scanUpdate(piece);
    Y.applyUpdate(doc, piece);
    expect([doc.store.pendingStructs, doc.store.pendingDs]).toEqual([null, null]);
  }
  return doc;
}

test('[SP3] one huge text is cut between characters, into pieces of about the size asked for', () => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'weft 漢字 👩‍🚀 '.repeat(20_000), { bold: true });
  const whole = Y.encodeStateAsUpdate(doc);
  for (const bytesTarget of [1000, 1001, 1002, 1003, 65_536]) {
    const pieces = splitUpdate(whole, bytesTarget);
    expect(pieces.length).toBeGreaterThanOrEqual(whole.length / bytesTarget);
    for (const piece of pieces) expect(piece.length).toBeLessThan(bytesTarget + 100);
    expect(applied(pieces).getText('text').toDelta()).toEqual(doc.getText('text').toDelta());
  }
});

test('[SP3] lists of values are cut between values', () => {
  const doc = new Y.Doc();
  doc.getArray('list').push(Array.from({ length: 30_000 }, (_, i) => ({ i })));
  const pieces = splitUpdate(Y.encodeStateAsUpdate(doc), 4096);
  expect(pieces.length).toBeGreaterThan(50);
  for (const piece of pieces) expect(piece.length).toBeLessThan(4200);
  expect(applied(pieces).getArray('list').toJSON()).toEqual(doc.getArray('list').toJSON());
});

test('[SP3] and lists of JSON, as Yjs wrote them before version 13', () => {
  const values = Array.from({ length: 500 }, (_, i) => (i % 7 === 0 ? 'undefined' : JSON.stringify({ i })));
  const whole = encoding.encode((encoder) => {
    for (const number of [1, 1, 7, 0]) encoding.writeVarUint(encoder, number);
    encoding.writeUint8(encoder, 2);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, 'list');
    encoding.writeVarUint(encoder, values.length);
    for (const value of values) encoding.writeVarString(encoder, value);
    encoding.writeVarUint(encoder, 0);
  });
  const pieces = splitUpdate(whole, 300);
  expect(pieces.length).toBeGreaterThan(10);
  expect(applied(pieces).getArray('list').toArray()).toEqual(applied([whole]).getArray('list').toArray());
});

test('[SP4] what cannot be cut makes a larger piece', () => {
  const doc = new Y.Doc();
  doc.getArray('list').push([new Uint8Array(5000), new Uint8Array(10), new Uint8Array(5000)]);
  const pieces = splitUpdate(Y.encodeStateAsUpdate(doc), 1000);
  expect(applied(pieces).getArray<Uint8Array>('list').get(2).length).toBe(5000);
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(5200);
});

test('[SP5] deletes come last, and are cut when they are many', () => {
  const doc = new Y.Doc({ gc: false });
  const text = doc.getText('text');
  text.insert(0, 'ab'.repeat(2000));
  doc.transact(() => {
    for (let i = 0; i < 2000; i++) text.delete(i, 1);
  });
  const pieces = splitUpdate(Y.encodeStateAsUpdate(doc), 1000);
  const firstDeletes = pieces.findIndex((piece) => scanUpdate(piece).deletes);
  expect(pieces.slice(firstDeletes).length).toBeGreaterThan(3);
  for (const piece of pieces.slice(firstDeletes)) expect(scanUpdate(piece)).toEqual({ ranges: [], deletes: true });
  expect(applied(pieces).getText('text').toString()).toBe('b'.repeat(2000));
});

test('[SP5] a small document is one piece', () => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'hello');
  doc.getText('text').delete(0, 1);
  expect(splitUpdate(Y.encodeStateAsUpdate(doc), 1000)).toEqual([Y.encodeStateAsUpdate(doc)]);
  expect(splitUpdate(EMPTY_UPDATE, 1000)).toEqual([]);
});

test('[SP6] structs that wait for others come after all that do not, and nothing is lost', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 400 }), (seed, bytesTarget) => {
      const { updates, whole } = randomHistory(seed);
      const missing = updates.filter((_, i) => i % 4 === seed % 4);
      const holey = mergeUpdatesInTree(updates.filter((_, i) => i % 4 !== seed % 4));
      const pieces = splitUpdate(holey, bytesTarget);
      const doc = new Y.Doc();
      let waits = false;
      for (const piece of pieces) {
        Y.applyUpdate(doc, piece);
        if (waits) expect(doc.store.pendingStructs).not.toBeNull();
        waits = doc.store.pendingStructs !== null;
      }
      expect(contentOf(pieces)).toEqual(contentOf(holey));
      expect(contentOf([...pieces, ...missing])).toEqual(contentOf(whole));
    }),
    { numRuns: 60 },
  );
});

test('[SP7] two million structs, each waiting for another client, take seconds at most', () => {
  const clients = 4;
  const structs = 500_000;
  // Client c's k-th struct follows client c-1's k-th; client 1's follows client 4's (k-1)-th: every struct switches queues.
  const whole = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, clients);
    for (let c = clients; c >= 1; c--) {
      for (const number of [structs, c, 0]) encoding.writeVarUint(encoder, number);
      for (let k = 0; k < structs; k++) {
        if (c === 1 && k === 0) {
          encoding.writeUint8Array(encoder, Uint8Array.of(4, 1, 1, 0x74));
        } else {
          encoding.writeUint8(encoder, 0x84);
          encoding.writeVarUint(encoder, c === 1 ? clients : c - 1);
          encoding.writeVarUint(encoder, c === 1 ? k - 1 : k);
        }
        encoding.writeVarString(encoder, 'x');
      }
    }
    encoding.writeVarUint(encoder, 0);
  });
  const started = performance.now();
  const pieces = splitUpdate(whole, 256 * 1024);
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(stateVectorOf(pieces)).toEqual(stateVectorOf([whole]));
});

test('[SP8] a part of a document is cut like the whole: after what came before it nothing waits', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 400 }), fc.nat(), fc.nat(), (seed, bytesTarget, a, b) => {
      const { updates, whole } = randomHistory(seed);
      const [from, to] = [a % (updates.length + 1), b % (updates.length + 1)].toSorted((x, y) => x - y) as [number, number];
      const part = splitUpdate(mergeUpdatesInTree(updates.slice(from, to)), bytesTarget, { continues: true });
      const doc = applied([...updates.slice(0, from), ...part, ...updates.slice(to)]);
      expect(contentOf(Y.encodeStateAsUpdate(doc))).toEqual(contentOf(whole));
    }),
    { numRuns: 50 },
  );
});
