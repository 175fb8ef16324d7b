import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isShortJson } from './json-text.ts';

const utf8 = new TextEncoder();

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Texts whose parts are JSON's own, so that many nearly are JSON. */
const nearlyJson = fc
  .array(
    fc.constantFrom(
      ...'{}[]:,"\\/-+.eE01aFn \t\n\r'.split(''),
      ...['true', 'false', 'null', '"a"', '"b":', '\\u00e9', '\\ud83d', '\\n', '1.5e-3', '-0', '01', 'é', '🙂', '\u0007', '\uFEFF'],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test('[AW3] what the check of the bytes says is what JSON.parse says', () => {
  fc.assert(
    fc.property(nearlyJson, (text) => {
      expect(isShortJson(utf8.encode(text)), text).toBe(parses(text));
    }),
    { numRuns: 5_000 },
  );
});

test('[AW3] so it is for JSON with one character changed, left out or put in', () => {
  const edited = fc
    .tuple(fc.json(), fc.nat(), fc.nat({ max: 1 }), fc.constantFrom('', ...'{}[]:,"\\-.e0 \u0000'.split('')))
    .map(([json, at, gone, character]) => json.slice(0, at % json.length) + character + json.slice((at % json.length) + gone));
  fc.assert(
    fc.property(fc.oneof(edited, fc.json()), (text) => {
      expect(isShortJson(utf8.encode(text)), text).toBe(parses(text));
    }),
    { numRuns: 3_000 },
  );
});

test('[AW3] what is long is left to the parser', () => {
  const nested = (depth: number): Uint8Array => utf8.encode('['.repeat(depth) + ']'.repeat(depth));
  expect([isShortJson(nested(500)), isShortJson(nested(501)), isShortJson(nested(1_000_000))]).toEqual([true, false, false]);
});
