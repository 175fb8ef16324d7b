import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EnvelopeError } from './envelope-error.ts';
import { frameUpdates, UpdateDeframer } from './update-framing.ts';

const updates = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });

test('[UF1] updates come out whole and in order, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(updates, fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1 }), (some, sizes) => {
      const framed = frameUpdates(some);
      const deframer = new UpdateDeframer(300);
      const out: Uint8Array[] = [];
      for (let at = 0, i = 0; at < framed.length; i++) {
        const size = Math.max(1, sizes[i % sizes.length]!);
        out.push(...deframer.push(framed.subarray(at, at + size)));
        at += size;
      }
      deframer.end();
      expect(out).toEqual(some);
    }),
  );
});

test('[UF2] an end in the middle of an update is an error', () => {
  const framed = frameUpdates([new Uint8Array(200)]);
  for (const length of [1, 2, 3, framed.length - 1]) {
    const deframer = new UpdateDeframer(300);
    expect(deframer.push(framed.subarray(0, length))).toEqual([]);
    expect(() => deframer.end()).toThrow(EnvelopeError);
  }
});

test('[UF3] an update larger than the bound is refused before it is kept', () => {
  const deframer = new UpdateDeframer(100);
  expect(() => deframer.push(frameUpdates([new Uint8Array(101)]).subarray(0, 2))).toThrow(EnvelopeError);
  expect(() => new UpdateDeframer(100).push(new Uint8Array(20).fill(0x80))).toThrow(EnvelopeError);
});

test('[UF4] an update within one chunk is a view into it', () => {
  const framed = frameUpdates([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  for (const update of new UpdateDeframer(10).push(framed)) expect(update.buffer).toBe(framed.buffer);
});
