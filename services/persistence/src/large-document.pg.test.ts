import { RecordPacker } from '@weft/wal';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { useHouses } from './test-house.test-data.ts';

const { newHouse } = useHouses();
const MIB = 1 << 20;

/** Real edits, many of them: paragraphs typed in, some taken out again, by a few people. */
function largeDocument(bytes: number): Y.Doc {
  const doc = new Y.Doc();
  const text = doc.getText('t');
  const paragraph = 'The quick brown fox jumps over the lazy dog, and the dog lets it. '.repeat(60);
  let at = 0;
  for (let written = 0; written < bytes; written += paragraph.length) {
    at = (at * 31 + 7) % (text.length + 1);
    text.insert(at, paragraph);
    if (written % 5 === 0) text.delete(at, 40);
  }
  return doc;
}

test('[PE15][PE5] a document of 50 MB comes in pieces, is stored, compacted and loaded', { timeout: 60_000 }, async () => {
  const { wal, start, floorAt, store, load, logged } = await newHouse();
  const doc = largeDocument(50 * MIB);
  const update = Y.encodeStateAsUpdate(doc);
  expect(update.length).toBeGreaterThan(50 * MIB);
  await start({ compaction: { tailBytes: 64 << 10 } });
  const packer = new RecordPacker('gateway/1');
  let last = 0;
  for (const { bytes } of packer.recordsFrom([{ partition: 0, document: 'big', update }], wal.recordBytesMax))
    last = (await wal.append(0, bytes)).position;
  await floorAt(last);
  await expect.poll(() => store.snapshotVersion('big'), { timeout: 40_000, interval: 50 }).toBe(1);
  const stored = await store.loadDocument('big', 0);
  expect(stored.tail).toEqual([]);
  expect(stored.snapshot.pieces.length).toBeGreaterThan(150);
  expect((await load('big')).getText('t').toString()).toBe(doc.getText('t').toString());
  expect(logged.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
});
