import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InternedNames } from './interned-names.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

test('[EN5] a name is what a decoder makes of its bytes, the first time and every other, whatever shares its slot', () => {
  const names = new InternedNames();
  const bytes = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => new TextEncoder().encode(text)),
    // One or two bytes: the same come often, and bytes that are no UTF-8 look like characters of names that are.
    fc.uint8Array({ maxLength: 2 }),
    fc.constantFrom('é', 'ÿ', 'Aé', '\uFEFFa').map((text) => Uint8Array.from(text, (one) => one.charCodeAt(0) & 0xff)),
    fc.nat(40_000).map((number) => new TextEncoder().encode(`name ${number}`)),
    fc.integer({ min: 290, max: 310 }).map((length) => new Uint8Array(length).fill(0x61)),
  );
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 20 }), fc.nat(5), (list, before) => {
      for (const one of [...list, ...list]) {
        const around = new Uint8Array(before + one.length + 3).fill(0x61);
        around.set(one, before);
        expect(names.at(around, before, before + one.length)).toBe(decoded(one));
      }
    }),
    { numRuns: 1_000 },
  );
});
