import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf16Length } from './utf8.ts';

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes at which what is valid changes. */
const EDGES = [
  0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff,
];
/** Of the third and the fourth byte only whether they continue counts. */
const LATER = [0x61, 0x80, 0xbf, 0xc2, 0xff];

const words = fc.constantFrom('a', 'weft and warp ', 'ü', 'ключ ', '漢字', '👩‍🚀', '\u{10ffff}', '\ufeff', '\ud7ff\ue000', '\0');
/** Long ones are read by words, short ones byte by byte. */
const texts = fc
  .array(fc.tuple(words, fc.integer({ min: 1, max: 40 })))
  .map((parts) => parts.map(([word, times]) => word.repeat(times)).join(''));
const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...EDGES)), { maxLength: 3 });

function lengthByDecoder(bytes: Uint8Array): number | undefined {
  try {
    return fatalUtf8.decode(bytes).length;
  } catch {
    return undefined;
  }
}

test('[US5] the length of any text, at any alignment, is what the decoder makes of it; what it refuses has a first wrong byte', () => {
  fc.assert(
    fc.property(texts, changes, fc.nat(5), fc.nat(5), (text, mangled, before, after) => {
      const encoded = new TextEncoder().encode(text);
      for (const [at, byte] of mangled) if (encoded.length > 0) encoded[at % encoded.length] = byte;
      // What stands around the text is not its business, valid or not.
      const bytes = new Uint8Array(before + encoded.length + after).fill(0xbf);
      bytes.set(encoded, before);
      const length = utf16Length(bytes, before, before + encoded.length);
      const expected = lengthByDecoder(encoded);
      if (expected !== undefined) expect(length).toBe(expected);
      else {
        const wrong = -1 - length - before;
        expect(wrong).toBeGreaterThanOrEqual(0);
        expect(lengthByDecoder(encoded.subarray(0, wrong))).toBeDefined();
        expect(wrong).toBeLessThan(encoded.length);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('[US5] every sequence of bytes at which validity changes, inside a long text, is judged as the decoder judges it', () => {
  const bytes = new Uint8Array(240).fill(0x61);
  const wrong: string[] = [];
  for (const a of EDGES)
    for (const b of EDGES)
      for (const c of LATER)
        for (const d of LATER) {
          bytes.set([a, b, c, d], 101);
          const length = utf16Length(bytes, 0, bytes.length);
          if ((length < 0 ? undefined : length) !== lengthByDecoder(bytes))
            wrong.push([a, b, c, d].map((byte) => byte.toString(16)).join(' '));
        }
  expect(wrong).toEqual([]);
});
