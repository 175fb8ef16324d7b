import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import { expect, test } from 'vitest';
import { ByteWriter, varUintBytes } from './byte-writer.ts';

type Field =
  | { readonly kind: 'uint'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'byte'; readonly value: number }
  | { readonly kind: 'raw'; readonly value: Uint8Array };

const kind = <Kind extends Field['kind']>(name: Kind) => fc.constant(name);
/** Short and long, ASCII and not, with halves of surrogate pairs, on both sides of each place where the length's own size changes. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 150 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
  fc.tuple(fc.constantFrom('a', 'é', '漢', '🙂'), fc.integer({ min: 30, max: 140 })).map(([one, times]) => one.repeat(times)),
  fc.tuple(fc.constantFrom('a', 'é', '漢'), fc.integer({ min: 5_400, max: 16_500 })).map(([one, times]) => one.repeat(times)),
);
const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: kind('uint'), value: fc.oneof(fc.maxSafeNat(), fc.nat(300)) }),
  fc.record({ kind: kind('text'), value: text }),
  fc.record({ kind: kind('bytes'), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ kind: kind('byte'), value: fc.nat(255) }),
  fc.record({ kind: kind('raw'), value: fc.uint8Array({ maxLength: 300 }) }),
);

function write(writer: ByteWriter, one: Field): void {
  switch (one.kind) {
    case 'uint':
      return writer.varUint(one.value);
    case 'text':
      return writer.varString(one.value);
    case 'bytes':
      return writer.varBytes(one.value);
    case 'byte':
      return writer.byte(one.value);
    case 'raw':
      return writer.raw(one.value);
  }
}

function writeWithLib0(encoder: encoding.Encoder, one: Field): void {
  switch (one.kind) {
    case 'uint':
      return encoding.writeVarUint(encoder, one.value);
    case 'text':
      return encoding.writeVarString(encoder, one.value);
    case 'bytes':
      return encoding.writeVarUint8Array(encoder, one.value);
    case 'byte':
      return encoding.writeUint8(encoder, one.value);
    case 'raw':
      return encoding.writeUint8Array(encoder, one.value);
  }
}

test('[BW1] the bytes are those of lib0, whatever was written before', () => {
  const writer = new ByteWriter();
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
      writer.begin();
      for (const one of fields) write(writer, one);
      const expected = encoding.encode((encoder) => fields.forEach((one) => writeWithLib0(encoder, one)));
      expect(Buffer.compare(writer.written(), expected)).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('[BW1] a number takes the bytes announced', () => {
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(100_000)), (value) => {
      const writer = new ByteWriter();
      writer.varUint(value);
      expect(writer.written().length).toBe(varUintBytes(value));
    }),
  );
});

test('[BW2] what is written is a view, good until the next begin; the buffer is used again, but a huge one is let go', () => {
  const writer = new ByteWriter();
  writer.begin().varString('first');
  const first = writer.written();
  writer.begin().varString('other');
  expect(new TextDecoder().decode(first.subarray(1))).toBe('other');
  expect(writer.written().buffer).toBe(first.buffer);
  writer.begin().raw(new Uint8Array(5 * 1024 * 1024).fill(7));
  expect(writer.written().every((byte) => byte === 7)).toBe(true);
  expect(writer.begin().written().buffer.byteLength).toBeLessThan(1024 * 1024);
});
