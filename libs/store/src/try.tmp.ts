import pg from 'pg';
import * as Y from 'yjs';
import { Database } from './database.ts';
import { Store } from './postgres-store.ts';
const base = 'postgres://postgres@127.0.0.1:54391/';
const c = new pg.Client(base + 'postgres');
await c.connect();
await c.query('DROP DATABASE IF EXISTS bench');
await c.query('CREATE DATABASE bench');
await c.end();
const db = new Database({ url: base + 'bench', applicationName: 'bench' });
await db.migrate();
const store = new Store(db);
await store.adoptFloor(0, { expected: undefined, floor: { identity: 'l', position: 0 } });
let pos = 0;
const flush = async (documents: { name: string; update: Uint8Array }[]) => {
  const r = await store.commitFlush({ slice: 0, identity: 'l', fromPosition: pos, toPosition: ++pos, documents, quarantined: [] });
  if (!r.committed) throw new Error();
};
const med = (a: number[]) => a.toSorted((x, y) => x - y)[a.length >> 1]!;
async function time(n: string, k: number, f: () => Promise<unknown>) {
  const t: number[] = [];
  for (let i = 0; i < k; i++) {
    const s = performance.now();
    await f();
    t.push(performance.now() - s);
  }
  console.log(n, med(t).toFixed(2), 'ms (min', Math.min(...t).toFixed(2) + ')');
}
const docs = (n: number, bytes: number) =>
  Array.from({ length: n }, (_, i) => ({ name: `d${i}`, update: crypto.getRandomValues(new Uint8Array(bytes)) }));
await time('flush 1 doc', 50, () => flush(docs(1, 100)));
await time('flush 50 docs', 30, () => flush(docs(50, 100)));
await time('flush 1000 docs', 10, () => flush(docs(1000, 100)));
const lsn = async () => (await db.query(`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS n`)).rows[0]!['n'] as number;
await db.query('CHECKPOINT');
for (let i = 0; i < 3; i++) await flush(docs(1000, 100));
let a = await lsn();
for (let i = 0; i < 10; i++) await flush(docs(1000, 100));
console.log('WAL bytes a row (100 B update, 1000 docs):', ((await lsn()) - a) / 10000);
a = await lsn();
for (let i = 0; i < 100; i++) await flush(docs(1, 100));
console.log('WAL bytes a row (100 B update, 1 doc a flush):', ((await lsn()) - a) / 100);
await time('load small', 100, () => store.loadDocument('d1', 0));
await time('load missing', 100, () => store.loadDocument('nobody', 0));
// 10 MB
const doc = new Y.Doc();
const t = doc.getText('t');
let r = 7;
const words =
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua'.split(' ');
while (t.length < 6e6) {
  r = (r * 1103515245 + 12345) & 0x7fffffff;
  t.insert(r % (t.length + 1), words[r % words.length]! + ' ' + (r % 1000));
}
const u = Y.encodeStateAsUpdate(doc);
console.log('update', u.length);
const pieces: Uint8Array[] = [];
for (let i = 0; i < u.length; i += 256 << 10) pieces.push(u.slice(i, i + (256 << 10)));
for (const storage of ['EXTERNAL', 'EXTENDED pglz', 'EXTENDED lz4']) {
  await db.query(`ALTER TABLE weft.document_snapshot_pieces ALTER COLUMN bytes SET STORAGE ${storage.split(' ')[0]}`);
  if (storage.includes(' ')) {
    try {
      await db.query(`ALTER TABLE weft.document_snapshot_pieces ALTER COLUMN bytes SET COMPRESSION ${storage.split(' ')[1]}`);
    } catch (e) {
      console.log(storage, String(e));
      continue;
    }
  }
  const name = 'big ' + storage;
  await flush([{ name, update: Uint8Array.of(1) }]);
  const from = (await store.loadForCompaction(name, { tailBytesMax: 1 }))!;
  const b = await lsn();
  const s = performance.now();
  await store.replaceWithSnapshot({
    documentId: from.documentId,
    expectedVersion: 0,
    consumedRowIds: from.tail.map((x) => x.id),
    snapshot: { pieces, stateVector: Uint8Array.of(0), deletes: Uint8Array.of(0, 0) },
    quarantined: [],
  });
  console.log(storage, 'write', (performance.now() - s).toFixed(0), 'ms, WAL', (((await lsn()) - b) / u.length).toFixed(2), 'x');
  await time(storage + ' load', 15, () => store.loadDocument(name, 0));
}
await db.close();
