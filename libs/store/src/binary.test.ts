import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteaArray, copyRows, integer, keep, text } from './binary.ts';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);

function row(...fields: (Uint8Array | null)[]): Buffer {
  const parts = [Buffer.alloc(2)];
  parts[0]?.writeInt16BE(fields.length);
  for (const field of fields) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(field === null ? -1 : field.length);
    parts.push(length, Buffer.from(field ?? []));
  }
  return Buffer.concat(parts);
}

describe('COPY rows', () => {
  test('[ST2] any fields come back, header and trailer in messages of their own or not', () => {
    const field = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
    fc.assert(
      fc.property(fc.array(fc.array(field, { maxLength: 5 }), { maxLength: 5 }), fc.boolean(), (rows, apart) => {
        const messages = rows.map((fields) => row(...fields));
        const stream = apart ? [HEADER, ...messages, TRAILER] : [Buffer.concat([HEADER, ...messages, TRAILER])];
        const read = stream.flatMap((message) => [...copyRows(message)]);
        expect(read.map((fields) => fields.map((bytes) => (bytes === null ? null : keep(bytes))))).toEqual(rows);
      }),
    );
  });

  test('[ST2] numbers of two, four and eight bytes, and words', () => {
    expect(integer(Buffer.from([0xff, 0xfe]))).toBe(-2);
    expect(integer(Buffer.from([0, 0, 1, 0]))).toBe(256);
    expect(integer(Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]))).toBe(2 ** 32);
    expect(text(Buffer.from('åß'))).toBe('åß');
    expect(() => integer(null)).toThrow('never NULL');
  });

  test('[ST2] what is kept does not change with the message it came in', () => {
    const message = row(Uint8Array.of(1, 2, 3));
    const kept = keep([...copyRows(message)][0]?.[0] ?? null);
    message.fill(0);
    expect(kept).toEqual(Uint8Array.of(1, 2, 3));
  });
});

test('[ST2] a bytea[] has the length its items say', () => {
  expect(byteaArray([]).length).toBe(12);
  expect(byteaArray([Uint8Array.of(1), new Uint8Array(0)]).length).toBe(20 + 4 + 1 + 4);
});
