import fc from 'fast-check';
import { encodeRecord, type EntryPayload, type RecordEntry } from '@weft/wal';
import { expect, test } from 'vitest';
import { Combiner } from './combiner.ts';
import { typist } from './typist.test-data.ts';

const make = (floorPosition = 0) => {
  const dropped: string[] = [];
  return { dropped, combiner: new Combiner({ slice: 0, floorPosition, onDropped: ({ reason }) => dropped.push(reason) }) };
};
const entry = (document: string, payload: EntryPayload): RecordEntry => ({ partition: 0, document, payload });
const update = (bytes: Uint8Array): EntryPayload => ({ kind: 'update', update: bytes });
const record = (position: number, entries: readonly RecordEntry[], origin = 'g/1') => ({
  position,
  atMs: position * 10,
  bytes: encodeRecord({ origin, sequence: position, entries }),
});
const piece = (bytes: Uint8Array, index: number, count: number, pieceId = 1): EntryPayload => {
  const size = Math.ceil(bytes.length / count);
  return { kind: 'piece', pieceId, index, count, bytes: bytes.slice(index * size, (index + 1) * size) };
};

test('[PE1] updates come out by document, in order, with the position they reach to', () => {
  const { combiner } = make(4);
  const [a, b] = [typist(), typist()];
  const [a1, a2, b1] = [a.type(), a.type(), b.type()];
  combiner.add(record(5, [entry('a', update(a1)), entry('b', update(b1))]));
  combiner.add(record(6, [entry('a', update(a2))]));
  const batch = combiner.take();
  expect(batch).toMatchObject({ floorPosition: 6, readPosition: 6, updates: 3, oldestAtMs: 50 });
  expect([...(batch?.documents ?? [])]).toEqual([
    ['a', [a1, a2]],
    ['b', [b1]],
  ]);
  expect(combiner.take()).toBeUndefined();
});

test('[PE1] a record that brings nothing still moves the floor', () => {
  const { combiner } = make();
  combiner.add(record(1, [entry('a', update(Uint8Array.of(0, 0)))]));
  expect(combiner.take()).toMatchObject({ floorPosition: 1, updates: 0, bytes: 0 });
});

test('[PE5] the floor stays below an update that is not whole, and passes once it is', () => {
  const { combiner } = make();
  const big = typist().type('a large paste');
  combiner.add(record(1, [entry('small', update(typist().type()))]));
  combiner.add(record(2, [entry('big', piece(big, 0, 3))], 'g/2'));
  combiner.add(record(3, [entry('small', update(typist().type()))]));
  expect(combiner.take()).toMatchObject({ floorPosition: 1, readPosition: 3, updates: 2 });
  combiner.add(record(4, [entry('big', piece(big, 1, 3))], 'g/2'));
  expect(combiner.take()).toMatchObject({ floorPosition: 1, readPosition: 4, updates: 0 });
  combiner.add(record(5, [entry('big', piece(big, 2, 3))], 'g/2'));
  const batch = combiner.take();
  expect(batch).toMatchObject({ floorPosition: 5, updates: 1 });
  expect(batch?.documents.get('big')).toEqual([big]);
});

test('[PE5] a gateway that died in the middle of an update does not hold the floor for ever', () => {
  const { combiner, dropped } = make();
  combiner.add(record(1, [entry('big', piece(typist().type('pasted'), 0, 2))], 'dead/1'));
  combiner.add({ ...record(2, []), atMs: 20 * 60_000 });
  expect(combiner.take()).toMatchObject({ floorPosition: 2 });
  expect(dropped).toEqual(['silent']);
});

test.each([
  ['an update cut short', entry('a', update(typist().type().slice(0, -1)))],
  ['an update with bytes after its end', entry('a', update(Uint8Array.of(...typist().type(), 0)))],
  ['a name with U+0000', entry('a\0b', update(typist().type()))],
  ['an empty name', entry('', update(typist().type()))],
  ['a name of 256 bytes', entry('é'.repeat(128), update(typist().type()))],
])('[PE6] %s is put aside, its neighbours are not', (_, bad) => {
  const { combiner } = make();
  const good = typist().type();
  combiner.add(record(1, [entry('x', update(good)), bad, entry('y', update(good))]));
  const batch = combiner.take();
  expect([...(batch?.documents.keys() ?? [])]).toEqual(['x', 'y']);
  expect(batch?.quarantined).toMatchObject([{ slice: 0, document: bad.document, position: 1 }]);
  expect(batch?.floorPosition).toBe(1);
});

test('[PE6] any bytes as a record: never a throw, and the floor passes', () => {
  const good = encodeRecord({ origin: 'g/1', sequence: 1, entries: [entry('a', update(typist().type()))] });
  const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => good.with(at, value));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged), (bytes) => {
      const { combiner } = make();
      combiner.add({ position: 1, atMs: 0, bytes });
      expect(combiner.take()?.floorPosition).toBeTypeOf('number');
      expect(combiner.records).toBe(0);
    }),
  );
});

test('[PE1] a gap in the records is a mistake of ours, not something to go over', () => {
  const { combiner } = make();
  expect(() => combiner.add(record(2, []))).toThrow('record 2 came after 0');
});
