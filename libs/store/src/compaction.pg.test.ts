import { expect, test } from 'vitest';
import { useDatabases, type TestDatabase } from './test-database.test-data.ts';

const newDatabase = useDatabases();
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function withTail(...updates: Uint8Array[]): Promise<TestDatabase & { flush(...more: Uint8Array[]): Promise<void> }> {
  const made = await newDatabase();
  let position = 0;
  await made.store.adoptFloor(0, { expected: undefined, floor: { identity: 'log', position } });
  const flush = async (...more: Uint8Array[]): Promise<void> => {
    const documents = more.map((update) => ({ name: 'd', update }));
    await made.store.commitFlush({ slice: 0, identity: 'log', fromPosition: position, toPosition: ++position, documents, quarantined: [] });
  };
  await flush(...updates);
  return { ...made, flush };
}

const load = async ({ store }: TestDatabase, tailBytesMax = 1 << 20) => {
  const compactable = await store.loadForCompaction('d', { tailBytesMax });
  if (compactable === undefined) throw new Error('there is no document d');
  return compactable;
};

const snapshot = (...pieces: Uint8Array[]) => ({ pieces, stateVector: bytes(1, 7, 9), deletes: bytes(0, 0) });

test('[ST8] the rows of a compaction go, one that came meanwhile stays', async () => {
  const made = await withTail(bytes(1), bytes(2));
  const { documentId, snapshot: old, tail } = await load(made);
  await made.flush(bytes(3));
  const replaced = await made.store.replaceWithSnapshot({
    documentId,
    expectedVersion: old.version,
    consumedRowIds: tail.map(({ id }) => id),
    snapshot: snapshot(bytes(1, 2), bytes(4)),
    quarantined: [{ slice: 0, document: 'd', position: 0, reason: 'bad', bytes: bytes(2) }],
  });
  expect(replaced).toBe(true);
  const loaded = await made.store.loadDocument('d', 0);
  expect(loaded.snapshot).toEqual({ version: 1, ...snapshot(bytes(1, 2), bytes(4)) });
  expect(loaded.tail).toEqual([bytes(3)]);
  expect(await made.store.snapshotVersion('d')).toBe(1);
  const { rows } = await made.database.query('SELECT reason FROM weft.quarantine');
  expect(rows).toEqual([{ reason: 'bad' }]);
});

test('[ST8] of two compactions from one version the second changes nothing, at version 0 and later', async () => {
  const made = await withTail(bytes(1));
  for (const version of [0, 1]) {
    const from = await load(made);
    expect(from.snapshot.version).toBe(version);
    const attempt = (mark: number) =>
      made.store.replaceWithSnapshot({
        documentId: from.documentId,
        expectedVersion: version,
        consumedRowIds: from.tail.map(({ id }) => id),
        snapshot: snapshot(bytes(mark)),
        quarantined: [],
      });
    const outcomes = await Promise.all([attempt(10), attempt(11)]);
    expect(outcomes.filter(Boolean)).toEqual([true]);
    const loaded = await made.store.loadDocument('d', 0);
    expect(loaded.snapshot).toEqual({ version: version + 1, ...snapshot(bytes(outcomes[0] ? 10 : 11)) });
    await made.flush(bytes(20 + version));
  }
  const { rows } = await made.database.query('SELECT DISTINCT version FROM weft.document_snapshot_pieces');
  expect(rows).toEqual([{ version: 2 }]);
});

test('[ST8] a tail larger than the bound is taken oldest first, at least one row of it', async () => {
  const made = await withTail(new Uint8Array(1000).fill(1), new Uint8Array(1000).fill(2), new Uint8Array(1000).fill(3));
  expect((await load(made, 2000)).tail.map(({ update }) => update[0])).toEqual([1, 2]);
  expect((await load(made, 1)).tail.map(({ update }) => update[0])).toEqual([1]);
  expect(await made.store.loadForCompaction('nobody', { tailBytesMax: 1 })).toBeUndefined();
});

test('[ST1] a load while compactions and flushes go on sees one moment', async () => {
  const made = await withTail(bytes(1));
  const stop = new AbortController();
  let count = 1;
  const writing = (async () => {
    while (!stop.signal.aborted) {
      await made.flush(bytes(1));
      count += 1;
      const { documentId, snapshot: old, tail } = await load(made);
      // The "document" is a number of ones: the snapshot says how many it holds, each tail row is one more.
      const held = (old.pieces[0]?.length ?? 0) + tail.length;
      await made.store.replaceWithSnapshot({
        documentId,
        expectedVersion: old.version,
        consumedRowIds: tail.map(({ id }) => id),
        snapshot: snapshot(new Uint8Array(held)),
        quarantined: [],
      });
    }
  })();
  for (let round = 0; round < 150; round++) {
    const { snapshot: held, tail, floor } = await made.store.loadDocument('d', 0);
    expect((held.pieces[0]?.length ?? 0) + tail.length).toBe(floor?.position);
  }
  stop.abort();
  await writing;
  expect((await made.store.floor(0))?.position).toBe(count);
});

test('tails: how many rows and bytes wait, of documents named and of a whole slice', async () => {
  const made = await withTail(bytes(1, 2, 3), bytes(4));
  const expected = { document: 'd', rows: 2, bytes: 4, snapshotBytes: 0 };
  expect(await made.store.tailsOf(['d', 'nobody'])).toMatchObject([expected]);
  expect(await made.store.longTails(0, { rowsOver: 1, bytesOver: 100, limit: 10 })).toMatchObject([expected]);
  expect(await made.store.longTails(0, { rowsOver: 2, bytesOver: 3, limit: 10 })).toMatchObject([expected]);
  expect(await made.store.longTails(0, { rowsOver: 2, bytesOver: 4, limit: 10 })).toEqual([]);
  expect(await made.store.longTails(1, { rowsOver: 0, bytesOver: 0, limit: 10 })).toEqual([]);
});
