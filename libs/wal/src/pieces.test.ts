import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DroppedPieces, PieceAssembler } from './piece-assembler.ts';
import type { WalRecord } from './record.ts';
import { decodeRecord } from './record-codec.ts';
import { type PackedRecord, type PendingEntry, recordBytesMin, RecordPacker } from './record-packer.ts';

const entryOf = (document: string, bytes: number, fill: number): PendingEntry => ({
  partition: fill % 128,
  document,
  update: new Uint8Array(bytes).fill(fill),
});

const entries = fc.array(
  fc
    .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), fc.oneof(fc.nat(100), fc.nat(5_000)), fc.nat(255))
    .map(([document, bytes, fill]) => entryOf(document, bytes, fill)),
  { maxLength: 40 },
);

/** Reads records as a worker does; gives what came out, in order. */
class Reading {
  readonly dropped: DroppedPieces[] = [];
  readonly got: { document: string; update: Uint8Array }[] = [];
  readonly assembler: PieceAssembler;

  constructor(limits: ConstructorParameters<typeof PieceAssembler>[1] = {}) {
    this.assembler = new PieceAssembler((dropped) => this.dropped.push(dropped), limits);
  }

  read(record: WalRecord, position: number, atMs = 0): void {
    this.assembler.expire(atMs);
    for (const { document, payload } of record.entries) {
      const source = { origin: record.origin, document, position, atMs };
      const update = payload.kind === 'update' ? payload.update : this.assembler.add(source, payload);
      if (update) this.got.push({ document, update });
    }
  }
}

const pack = (origin: string, pending: readonly PendingEntry[], max = recordBytesMin): PackedRecord[] => [
  ...new RecordPacker(origin).recordsFrom(pending, max),
];

test('[P1] what is packed comes out again, whole and in order; no record exceeds its bound; numbers grow by one', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: recordBytesMin, max: 4_000 }), (pending, max) => {
      const reading = new Reading();
      let completes = 0;
      pack('gateway-1/abc', pending, max).forEach(({ bytes, sequence, completes: now }, i) => {
        expect(bytes.byteLength).toBeLessThanOrEqual(max);
        expect(sequence).toBe(i + 1);
        reading.read(decodeRecord(bytes), i + 1);
        // `completes` never promises more than a reader has by then.
        expect(reading.got.length).toBeGreaterThanOrEqual(now);
        expect(now).toBeGreaterThanOrEqual(completes);
        completes = now;
      });
      expect(completes).toBe(pending.length);
      expect(reading.got).toEqual(pending.map(({ document, update }) => ({ document, update })));
      expect([reading.assembler.bytes, reading.assembler.oldestIncompletePosition, reading.dropped]).toEqual([0, undefined, []]);
    }),
  );
});

test('[P1] small entries share a record, and what comes while it is lazy comes along', () => {
  const pending = [entryOf('a', 10, 1), entryOf('b', 10, 2)];
  const records = new RecordPacker('g/1').recordsFrom(pending, recordBytesMin);
  expect(records.next().value).toMatchObject({ completes: 2 });
  pending.push(entryOf('c', 10, 3));
  expect(records.next().value).toMatchObject({ completes: 3, sequence: 2 });
  expect(records.next().done).toBe(true);
});

test('[P3] records that come twice change nothing', () => {
  fc.assert(
    fc.property(entries, fc.infiniteStream(fc.nat(2)), (pending, repeats) => {
      const reading = new Reading();
      const whole = new Set<string>();
      let position = 0;
      for (const { bytes } of pack('g/1', pending)) {
        for (let times = repeats.next().value!; times >= 0; times -= 1) reading.read(decodeRecord(bytes), (position += 1));
      }
      for (const { document, update } of reading.got) whole.add(`${document} ${update.byteLength} ${update[0]}`);
      expect(whole).toEqual(new Set(pending.map(({ document, update }) => `${document} ${update.byteLength} ${update[0]}`)));
      expect(reading.dropped).toEqual([]);
    }),
  );
});

test('[P4] the floor is held below the first piece of an unfinished update, so that a restart above the floor finds all of it', () => {
  const records = pack('g/1', [entryOf('small', 10, 1), entryOf('large', 5_000, 2), entryOf('after', 10, 3)]);
  const before = new Reading();
  let floor = 0;
  records.slice(0, -1).forEach(({ bytes }, i) => {
    before.read(decodeRecord(bytes), i + 1);
    floor = (before.assembler.oldestIncompletePosition ?? i + 2) - 1;
  });
  expect(before.got.map(({ document }) => document)).toEqual(['small']);
  const after = new Reading();
  records.slice(floor).forEach(({ bytes }, i) => after.read(decodeRecord(bytes), floor + i + 1));
  expect(after.got.map(({ document }) => document)).toContain('large');
  expect(after.dropped).toEqual([]);
});

test('[P4] pieces whose beginning was not read are reported once, and the next update of that origin is whole', () => {
  const records = pack('g/1', [entryOf('lost', 5_000, 1), entryOf('kept', 5_000, 2)]);
  const reading = new Reading();
  records.slice(1).forEach(({ bytes }, i) => reading.read(decodeRecord(bytes), i + 2));
  expect(reading.got.map(({ document }) => document)).toEqual(['kept']);
  expect(reading.dropped).toMatchObject([{ reason: 'beginning-missing', document: 'lost', origin: 'g/1', position: 2 }]);
});

test('[P5] an origin may begin an update again under a new piece id', () => {
  const packer = new RecordPacker('g/1');
  const pending = [entryOf('again', 5_000, 1)];
  const first = packer.recordsFrom(pending, recordBytesMin);
  const reading = new Reading();
  let position = 0;
  for (let i = 0; i < 3; i += 1) reading.read(decodeRecord((first.next().value as PackedRecord).bytes), (position += 1));
  for (const { bytes } of packer.recordsFrom(pending, recordBytesMin)) reading.read(decodeRecord(bytes), (position += 1));
  expect(reading.got).toEqual([{ document: 'again', update: pending[0]!.update }]);
  expect(reading.dropped).toMatchObject([{ reason: 'superseded' }]);
});

test('[P6] a run whose origin fell silent is given up and frees the floor', () => {
  const records = pack('dead/1', [entryOf('x', 5_000, 1)]);
  const reading = new Reading({ silenceMsMax: 1_000 });
  reading.read(decodeRecord(records[0]!.bytes), 1, 10_000);
  const idle = decodeRecord(pack('alive/1', [entryOf('y', 1, 1)])[0]!.bytes);
  reading.read(idle, 2, 11_000);
  expect(reading.assembler.oldestIncompletePosition).toBe(1);
  reading.read(idle, 3, 11_001);
  expect([reading.assembler.oldestIncompletePosition, reading.assembler.bytes]).toEqual([undefined, 0]);
  expect(reading.dropped).toMatchObject([{ reason: 'silent', document: 'x', position: 1 }]);
});

test('[P7] bytes and origins are bounded; what had to go is reported', () => {
  const bounds: [ConstructorParameters<typeof PieceAssembler>[1], number][] = [
    [{ bytesMax: 4_000 }, 4_000],
    [{ originsMax: 3 }, 3 * 5_000],
    [{ updateBytesMax: 2_000 }, 10 * 2_000],
  ];
  for (const [limits, bytesMax] of bounds) {
    const reading = new Reading(limits);
    const runs = Array.from({ length: 10 }, (_, i) => pack(`g${i}/1`, [entryOf(`doc${i}`, 5_000, i)]).slice(0, -1));
    for (let turn = 0, position = 0; turn < runs[0]!.length; turn += 1) {
      for (const run of runs) reading.read(decodeRecord(run[turn]!.bytes), (position += 1));
      expect(reading.assembler.bytes).toBeLessThanOrEqual(bytesMax);
    }
    expect(reading.dropped.some(({ reason }) => reason === 'over-bound')).toBe(true);
  }
});
