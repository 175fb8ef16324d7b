import fc from 'fast-check';
import { expect, test } from 'vitest';

import { concerns, decodeChanged, encodeChanged } from './changed.ts';
import type { Changed } from './changed.ts';
import { MalformedAuthMessage } from './json-message.ts';

const text = fc.string({ minLength: 1, maxLength: 8, unit: 'binary' });
const someChange = fc
  .record({ user: text, session: text, document: text }, { requiredKeys: [] })
  .filter((changed) => Object.keys(changed).length > 0) as fc.Arbitrary<Changed>;

test('[G12] a change comes back as it was', () => {
  fc.assert(
    fc.property(someChange, (changed) => {
      expect(decodeChanged(encodeChanged(changed))).toEqual(changed);
    }),
  );
});

test('[G12] what names nobody and nothing is no change: it would mean everybody', () => {
  expect(() => encodeChanged({})).toThrow(TypeError);
  for (const wrong of ['', '{}', '[]', 'null', '{"user":""}', '{"user":7}', '{"user":"u","document":null}', '{"who":"u"}']) {
    expect(() => decodeChanged(new TextEncoder().encode(wrong))).toThrow(MalformedAuthMessage);
  }
});

test('[G13] a change concerns what fits all that it names', () => {
  const of = { user: 'ada', session: 's1', document: 'plan' };
  expect(concerns({ user: 'ada' }, of)).toBe(true);
  expect(concerns({ session: 's1' }, of)).toBe(true);
  expect(concerns({ document: 'plan' }, of)).toBe(true);
  expect(concerns({ user: 'ada', document: 'plan' }, of)).toBe(true);
  expect(concerns({ user: 'ada', document: 'other' }, of)).toBe(false);
  expect(concerns({ user: 'eve', document: 'plan' }, of)).toBe(false);
  expect(concerns({ session: 's2' }, of)).toBe(false);
  expect(concerns({ session: 's1' }, { user: 'ada', document: 'plan' })).toBe(false);
});
