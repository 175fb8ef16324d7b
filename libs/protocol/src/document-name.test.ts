import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DOCUMENT_NAME_BYTES_MAX, documentNameProblem } from './document-name.ts';

test('[DN1] accepts exactly well-formed names of 1 to 255 bytes, without NUL, not blank', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      const bytes = new TextEncoder().encode(name).length;
      const good = bytes >= 1 && bytes <= DOCUMENT_NAME_BYTES_MAX && name.trim() !== '' && !name.includes('\0');
      expect(documentNameProblem(name) === undefined).toBe(good);
    }),
  );
});

test('[DN2] says what is wrong', () => {
  const problems: [string, RegExp][] = [
    ['', /empty/],
    ['  \t\n\u3000', /blank/],
    ['a\0b', /NUL/],
    ['\ud800', /surrogate/],
    ['ü'.repeat(128), /takes 256 bytes of UTF-8; at most 255/],
  ];
  for (const [name, problem] of problems) expect(documentNameProblem(name)).toMatch(problem);
  for (const name of ['a', ' a ', 'teams/7/плани 👩‍🚀', 'ü'.repeat(127), '\u0001']) expect(documentNameProblem(name)).toBeUndefined();
});
