import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import { expect, test } from 'vitest';
import type { EntryPayload, WalRecord } from './record.ts';
import { decodeRecord, encodeRecord, forEachEntry, MalformedRecord, RecordReader } from './record-codec.ts';
import { Reader, utf8Bytes, varUintBytes, Writer } from './varint.ts';

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const payload: fc.Arbitrary<EntryPayload> = fc.oneof(
  fc.record({ kind: fc.constant('update' as const), update: fc.uint8Array({ maxLength: 200 }) }),
  fc
    .record({
      kind: fc.constant('piece' as const),
      pieceId: number,
      index: fc.nat(20),
      more: fc.integer({ min: 1, max: 9 }),
      bytes: fc.uint8Array(),
    })
    .map(({ more, ...piece }) => ({ ...piece, count: piece.index + more })),
);
const record: fc.Arbitrary<WalRecord> = fc.record({
  origin: fc.string({ unit: 'binary' }),
  sequence: number,
  entries: fc.array(fc.record({ partition: number, document: fc.string({ unit: 'binary', minLength: 1 }), payload }), { maxLength: 30 }),
});

/** The format as record.ts tells it, written with lib0. */
function encodeWithLib0({ origin, sequence, entries }: WalRecord): Uint8Array {
  const bodies = entries.map(({ document, payload: body }) => {
    const encoder = encoding.createEncoder();
    encoding.writeVarString(encoder, document);
    if (body.kind === 'update') {
      encoding.writeVarUint(encoder, 0);
      encoding.writeUint8Array(encoder, body.update);
    } else {
      for (const field of [1, body.pieceId, body.index, body.count]) encoding.writeVarUint(encoder, field);
      encoding.writeUint8Array(encoder, body.bytes);
    }
    return encoding.toUint8Array(encoder);
  });
  const encoder = encoding.createEncoder();
  encoding.writeUint8(encoder, 1);
  encoding.writeVarString(encoder, origin);
  encoding.writeVarUint(encoder, sequence);
  encoding.writeVarUint(encoder, entries.length);
  entries.forEach(({ partition }, i) => {
    encoding.writeVarUint(encoder, partition);
    encoding.writeVarUint(encoder, bodies[i]!.byteLength);
  });
  for (const body of bodies) encoding.writeUint8Array(encoder, body);
  return encoding.toUint8Array(encoder);
}

test('[R1] a record is what record.ts says, byte for byte in lib0 encodings, and reads back equal', () => {
  fc.assert(
    fc.property(record, (original) => {
      const bytes = encodeRecord(original);
      expect(bytes).toEqual(encodeWithLib0(original));
      expect(decodeRecord(bytes)).toEqual(original);
    }),
  );
});

test('[R1] numbers up to 2^53 - 1 take the bytes announced and read back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const writer = new Writer(varUintBytes(value));
      writer.varUint(value);
      expect(writer.at).toBe(writer.bytes.byteLength);
      expect(new Reader(writer.bytes, 0, writer.at, (what) => new Error(what)).varUint('n')).toBe(value);
    }),
  );
});

test('[R1] a text takes the bytes announced and is written as TextEncoder writes it', () => {
  const text = fc.array(fc.constantFrom('a', '\u007f', '\u0080', '\u07ff', '\u0800', '\uffff', '\ud83d', '\ude00', '🙂'), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(
      text.map((parts) => parts.join('')),
      (one) => {
        const expected = new TextEncoder().encode(one);
        expect(utf8Bytes(one)).toBe(expected.length);
        const writer = new Writer(varUintBytes(expected.length) + expected.length);
        writer.string(one, expected.length);
        expect(writer.bytes.subarray(varUintBytes(expected.length))).toEqual(expected);
      },
    ),
  );
});

test('[R2] a reader skips by the index: bodies of other partitions are not decoded', () => {
  const bytes = encodeRecord({
    origin: 'g/1',
    sequence: 1,
    entries: [
      { partition: 1, document: 'a', payload: { kind: 'update', update: Uint8Array.of(1) } },
      { partition: 2, document: 'b', payload: { kind: 'update', update: Uint8Array.of(2) } },
      { partition: 1, document: 'c', payload: { kind: 'update', update: Uint8Array.of(3) } },
    ],
  });
  // The second body's document claims 127 bytes.
  bytes[bytes.byteLength - 8] = 127;
  const seen: string[] = [];
  forEachEntry(
    new RecordReader(bytes),
    (partition) => partition === 1,
    ({ document }) => seen.push(document),
  );
  expect(seen).toEqual(['a', 'c']);
  expect(() => decodeRecord(bytes)).toThrow(MalformedRecord);
});

test('[R3] every truncation and every trailing byte is MalformedRecord', () => {
  fc.assert(
    fc.property(record, fc.nat(), (original, cut) => {
      const bytes = encodeRecord(original);
      expect(() => decodeRecord(bytes.subarray(0, cut % bytes.byteLength))).toThrow(MalformedRecord);
      expect(() => decodeRecord(Uint8Array.of(...bytes, 0))).toThrow(MalformedRecord);
    }),
  );
});

test('[R3] arbitrary bytes are read or are MalformedRecord, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeRecord(Uint8Array.of(1, ...bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedRecord);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('[R3] a number of entries that lies costs no memory', () => {
  const lie = Uint8Array.of(1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f);
  expect(() => new RecordReader(lie)).toThrow(/entries announced/);
});

test('[R3] a newer format says so', () => {
  expect(() => new RecordReader(Uint8Array.of(2, 0, 0, 0))).toThrow(/format 2/);
});
