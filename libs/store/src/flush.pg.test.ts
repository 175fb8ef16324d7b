import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Flush } from './flush.ts';
import { useDatabases } from './test-database.test-data.ts';

const newDatabase = useDatabases();
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const flushOf = (change: Partial<Flush>): Flush => ({
  slice: 0,
  identity: 'log',
  fromPosition: 0,
  toPosition: 1,
  documents: [],
  quarantined: [],
  ...change,
});

async function withFloor(): ReturnType<typeof newDatabase> {
  const made = await newDatabase();
  await made.store.adoptFloor(0, { expected: undefined, floor: { identity: 'log', position: 0 } });
  return made;
}

test('[ST1] a document nobody wrote is empty and has no floor', async () => {
  const { store } = await newDatabase();
  const loaded = await store.loadDocument('nobody', 0);
  expect(loaded).toEqual({ snapshot: { version: 0, pieces: [], stateVector: bytes(0), deletes: bytes(0, 0) }, tail: [], floor: undefined });
  expect(await store.snapshotVersion('nobody')).toBe(0);
});

test('[ST2][ST5] any bytes under any name come back, in order', async () => {
  const { store } = await withFloor();
  let position = 0;
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((one) => !one.includes('\0'));
  const updates = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(name, updates, async (document, given) => {
      const before = (await store.loadDocument(document, 0)).tail;
      const outcome = await store.commitFlush(
        flushOf({ fromPosition: position, toPosition: position + 1, documents: given.map((update) => ({ name: document, update })) }),
      );
      expect(outcome).toEqual({ committed: true });
      position += 1;
      const loaded = await store.loadDocument(document, 0);
      expect(loaded.tail).toEqual([...before, ...given]);
      expect(loaded.floor).toEqual({ identity: 'log', position });
    }),
    { numRuns: 40 },
  );
});

test('[ST3] a flush that fails half way leaves neither rows nor a floor', async () => {
  const { store } = await withFloor();
  const tooLong = 'x'.repeat(256);
  const documents = [
    { name: 'a', update: bytes(1) },
    { name: tooLong, update: bytes(2) },
  ];
  await expect(store.commitFlush(flushOf({ documents }))).rejects.toThrow('check constraint');
  expect(await store.loadDocument('a', 0)).toMatchObject({ tail: [], floor: { position: 0 } });
});

test.each([
  ['another position', { fromPosition: 5, toPosition: 6 }],
  ['another log', { identity: 'other' }],
])('[ST3] a flush from %s writes nothing and hears the stored floor', async (_, change) => {
  const { store } = await withFloor();
  const outcome = await store.commitFlush(flushOf({ ...change, documents: [{ name: 'a', update: bytes(1) }] }));
  expect(outcome).toEqual({ committed: false, floor: { identity: 'log', position: 0 } });
  expect((await store.loadDocument('a', 0)).tail).toEqual([]);
});

test('[ST3] a slice without a floor takes no flush', async () => {
  const { store } = await newDatabase();
  expect(await store.commitFlush(flushOf({}))).toEqual({ committed: false, floor: undefined });
});

test('[ST4] of many flushes at once from one floor exactly one is committed', async () => {
  const { store } = await withFloor();
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      store.commitFlush(flushOf({ toPosition: index + 1, documents: [{ name: 'a', update: bytes(index) }] })),
    ),
  );
  const winner = outcomes.findIndex(({ committed }) => committed);
  expect(outcomes.filter(({ committed }) => committed)).toHaveLength(1);
  const loaded = await store.loadDocument('a', 0);
  expect(loaded.tail).toEqual([bytes(winner)]);
  expect(loaded.floor?.position).toBe(winner + 1);
  for (const outcome of outcomes) if (!outcome.committed) expect(outcome.floor).toEqual(loaded.floor);
});

test('[ST5] a thousand documents are one flush, slices do not hinder one another', async () => {
  const { store, database } = await withFloor();
  await store.adoptFloor(1, { expected: undefined, floor: { identity: 'log', position: 0 } });
  const documents = (slice: number) =>
    Array.from({ length: 1000 }, (_, index) => ({ name: `${slice}/${index}`, update: bytes(slice, index % 256) }));
  const outcomes = await Promise.all([0, 1].map((slice) => store.commitFlush(flushOf({ slice, documents: documents(slice) }))));
  expect(outcomes).toEqual([{ committed: true }, { committed: true }]);
  const { rows } = await database.query('SELECT count(*)::int AS n FROM weft.document_updates');
  expect(rows).toEqual([{ n: 2000 }]);
  expect((await store.loadDocument('1/999', 1)).tail).toEqual([bytes(1, 999 % 256)]);
});

test('[ST3] what is quarantined is kept with the flush, a name with NUL in it too', async () => {
  const { store, database } = await withFloor();
  const one = { slice: 0, document: 'a\0b', position: 1, reason: 'truncated', bytes: bytes(0, 1, 255) };
  await store.commitFlush(flushOf({ quarantined: [one] }));
  const { rows } = await database.query('SELECT slice, document, position::int, reason, bytes FROM weft.quarantine');
  expect(rows).toEqual([{ ...one, document: 'a\u{fffd}b', bytes: Buffer.from(one.bytes) }]);
});

test('[ST6] a floor is replaced only by who knows it', async () => {
  const { store } = await withFloor();
  const stale = { identity: 'log', position: 7 };
  expect(await store.adoptFloor(0, { expected: undefined, floor: stale })).toBe(false);
  expect(await store.adoptFloor(0, { expected: stale, floor: { identity: 'new', position: 0 } })).toBe(false);
  expect(await store.floor(0)).toEqual({ identity: 'log', position: 0 });
  expect(await store.adoptFloor(0, { expected: { identity: 'log', position: 0 }, floor: { identity: 'new', position: 3 } })).toBe(true);
  expect(await store.floor(0)).toEqual({ identity: 'new', position: 3 });
});

test('[ST7] a lease has one holder, who may prolong it, and passes on when given back or expired', async () => {
  const { store } = await newDatabase();
  expect(await store.takeLease(0, { holder: 'a', leaseMs: 60_000 })).toBe(true);
  expect(await store.takeLease(0, { holder: 'b', leaseMs: 60_000 })).toBe(false);
  expect(await store.takeLease(0, { holder: 'a', leaseMs: 60_000 })).toBe(true);
  await store.releaseLease(0, 'b');
  expect(await store.takeLease(0, { holder: 'b', leaseMs: 60_000 })).toBe(false);
  await store.releaseLease(0, 'a');
  expect(await store.takeLease(0, { holder: 'b', leaseMs: 1 })).toBe(true);
  await expect.poll(() => store.takeLease(0, { holder: 'a', leaseMs: 60_000 })).toBe(true);
});
