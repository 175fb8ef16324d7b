import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { expect, test } from 'vitest';
import { Patched, patchedMin } from './patched.ts';

test('the message bears one number after the other, and is else the same', () => {
  const message = new Patched((number) =>
    encoding.encode((encoder) => {
      encoding.writeVarString(encoder, 'before');
      encoding.writeVarUint(encoder, number);
      encoding.writeVarString(encoder, 'after');
    }),
  );
  for (let i = 1; i <= 300; i++) {
    const decoder = decoding.createDecoder(message.next());
    expect([decoding.readVarString(decoder), decoding.readVarUint(decoder), decoding.readVarString(decoder)]).toEqual([
      'before',
      patchedMin + i,
      'after',
    ]);
  }
});

test('a message without the number is refused', () => {
  expect(() => new Patched(() => Uint8Array.of(1, 2))).toThrow('does not bear');
});
