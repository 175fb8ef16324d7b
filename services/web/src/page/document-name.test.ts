import { expect, test } from 'vitest';

import { documentName, pathOf, randomDocumentName } from './document-name.ts';

test.each([
  ['', 'welcome'],
  ['?doc=', 'welcome'],
  ['?doc=%20', 'welcome'],
  ['?doc=notes%2Ftoday', 'notes/today'],
  [`?doc=${'x'.repeat(256)}`, 'welcome'],
  ['?doc=a%00b', 'welcome'],
])('%j asks for %j', (search, name) => {
  expect(documentName(search)).toBe(name);
});

test('a name finds its way through the address', () => {
  for (const name of ['welcome', 'a b&c=d#e', 'Käse/☕']) expect(documentName(new URL(pathOf(name), 'http://x').search)).toBe(name);
});

test('a new document has a name one can say', () => {
  expect(randomDocumentName(Math.random)).toMatch(/^[a-z]+-[a-z]+-\d{4}$/);
});
