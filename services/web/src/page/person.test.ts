import { expect, test } from 'vitest';

import { cleanName, initials, parsePerson, randomPerson } from './person.ts';

test('a random person has two words and a colour', () => {
  expect(randomPerson(() => 0)).toEqual({ name: 'Quiet Heron', color: '#b3413a' });
  expect(randomPerson(() => 0.999)).toEqual({ name: 'Swift Vole', color: '#546478' });
});

test.each([
  ['Quiet Heron', 'QH'],
  ['ada', 'A'],
  ['Ada King Lovelace', 'AL'],
  ['🦊 fox', '🦊F'],
  ['', '?'],
])('the initials of %j are %j', (name, letters) => {
  expect(initials(name)).toBe(letters);
});

test('a name is trimmed, on one line, and cut between characters', () => {
  expect(cleanName('  Ada\n King ')).toBe('Ada King');
  expect(cleanName(' \t')).toBeUndefined();
  expect(Array.from(cleanName('🦊'.repeat(50)) ?? '')).toHaveLength(40);
});

test('what other browsers send is checked', () => {
  expect(parsePerson({ name: 'Ada', color: '#ffffff' })).toEqual({ name: 'Ada', color: '#ffffff' });
  expect(parsePerson({ name: 'Ada', color: 'red;background:url(//evil)' })).toEqual({ name: 'Ada', color: '#546478' });
  for (const wrong of [undefined, null, 'Ada', {}, { name: 7 }, { name: ' ' }]) expect(parsePerson(wrong)).toBeUndefined();
});
