import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { useHouses } from './test-house.test-data.ts';
import { typist } from './typist.test-data.ts';

const { newHouse } = useHouses();
const eager = { compaction: { tailRows: 3 } };

test('[PE9][PE14] a document is compacted while it is written, again and again, and nothing is lost', { timeout: 60_000 }, async () => {
  const { append, start, floorAt, store, load } = await newHouse();
  const service = await start({ ...eager, session: { flushMs: 10 } });
  const people = Array.from({ length: 4 }, () => typist());
  let last = 0;
  while ((await store.snapshotVersion('a')) < 4) {
    for (const { type } of people) last = await append(['a', type('ab ')]);
  }
  await floorAt(last);
  const all = new Y.Doc();
  for (const { doc } of people) Y.applyUpdate(all, Y.encodeStateAsUpdate(doc));
  const stored = await load('a');
  expect(stored.getText('t').toString()).toBe(all.getText('t').toString());
  expect(await service.metrics.text()).toMatch(/weft_persistence_compactions_total\{outcome="done"\} [4-9]/);
});

test('[PE14] a long tail from before the start is found', async () => {
  const { append, start, floorAt, store, load } = await newHouse();
  const { type } = typist();
  const first = await start();
  for (let i = 1; i <= 6; i++) await floorAt(await append(['a', type()]));
  await first.drain();
  expect((await store.loadDocument('a', 0)).tail.length).toBeGreaterThan(3);
  await start({ compaction: { tailRows: 3, oldRows: 3 } });
  await expect.poll(() => store.snapshotVersion('a'), { timeout: 10_000 }).toBe(1);
  expect((await store.loadDocument('a', 0)).tail).toEqual([]);
  expect((await load('a')).getText('t').toString()).toBe('xxxxxx');
});

test('[PE9] an edit whose predecessor has not come is kept through compactions', async () => {
  const { append, start, floorAt, store, load } = await newHouse();
  await start({ compaction: { tailRows: 2 } });
  const { type, doc } = typist();
  const missing = type('first ');
  const waiting = type('second');
  await floorAt(await append(['a', waiting]));
  for (let i = 0; i < 3; i++) await floorAt(await append(['a', typist().type('z')]));
  await expect.poll(() => store.snapshotVersion('a'), { timeout: 10_000 }).toBeGreaterThan(0);
  await floorAt(await append(['a', missing]));
  const text = (await load('a')).getText('t').toString();
  expect(text).toContain(doc.getText('t').toString());
  expect(text.replaceAll('z', '')).toBe('first second');
});

test('[PE10] an update that throws when applied is quarantined, the document is compacted and served without it', async () => {
  const { append, start, floorAt, store, load, database, logged } = await newHouse();
  // Whether it throws depends on what was compacted before it: first the tail, then one compaction of all of it.
  const first = await start();
  const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
  const base = ['010201002701016d026b310204000100017100', '010201022701016d026b3101280001020161017d0100'].map(hex);
  const poison = hex('01010102040101740361620000');
  const { type } = typist(77);
  for (const update of [...base, type('good '), poison, type('words')]) await floorAt(await append(['a', update]));
  await first.drain();
  await start({ compaction: { oldRows: 2, tailRows: 2 } });
  await expect.poll(() => store.snapshotVersion('a'), { timeout: 10_000 }).toBeGreaterThan(0);
  await expect
    .poll(async () => (await database.query('SELECT document, bytes FROM weft.quarantine')).rows, { timeout: 10_000 })
    .toEqual([{ document: 'a', bytes: Buffer.from(poison) }]);
  expect((await load('a')).getText('t').toString()).toBe('good words');
  expect(logged.some(({ level, msg, document }) => level === 'error' && document === 'a' && msg.includes('quarantined'))).toBe(true);
});

test('[PE14] a document that cannot be compacted is given up for a time, and still served', async () => {
  const { append, start, floorAt, store, load, database } = await newHouse();
  const service = await start({ compaction: { tailRows: 2 } });
  await floorAt(await append(['a', typist().type()]));
  // A snapshot that cannot be read: nothing may be taken out of it.
  await database.query(`INSERT INTO weft.document_snapshots SELECT id, 1, '\\x00', '\\x0000', 1 FROM weft.documents`);
  await database.query(`INSERT INTO weft.document_snapshot_pieces SELECT id, 1, 0, '\\x09' FROM weft.documents`);
  for (let i = 0; i < 3; i++) await floorAt(await append(['a', typist().type()]));
  await expect.poll(() => service.metrics.text(), { timeout: 15_000 }).toMatch(/compactions_total\{outcome="failed"\} [12]/);
  expect((await store.loadDocument('a', 0)).tail).toHaveLength(4);
  await expect(load('a')).rejects.toThrow();
});
