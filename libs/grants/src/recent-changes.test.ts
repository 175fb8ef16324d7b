import fc from 'fast-check';
import { expect, test } from 'vitest';

import { concerns } from './changed.ts';
import type { Changed } from './changed.ts';
import { RecentChanges } from './recent-changes.ts';

const name = fc.constantFrom('a', 'b', '');
const changes = fc.record({ user: name, session: name, document: name }, { requiredKeys: [] });
const subject = fc.record({ user: name, session: name, document: name }, { requiredKeys: ['user', 'document'] });

test('[G13][G33] says of any change what `concerns` says', () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 5 }), fc.nat(5), subject, (heard: Changed[], since, of) => {
      const recent = new RecentChanges({ now: () => 0, keptMs: 1 });
      for (const changed of heard) recent.note(changed);
      expect(recent.cameSince(since, of)).toBe(heard.slice(since).some((changed) => concerns(changed, of)));
    }),
  );
});

test('[G33] forgets what is old', () => {
  let nowMs = 0;
  const recent = new RecentChanges({ now: () => nowMs, keptMs: 100 });
  recent.note({ user: 'a' });
  nowMs = 100;
  expect(recent.cameSince(0, { user: 'a', document: 'd' })).toBe(true);
  nowMs = 101;
  expect(recent.cameSince(0, { user: 'a', document: 'd' })).toBe(false);
});

test('[G33] what was let go at the bound may have concerned anybody, until it would have been forgotten', () => {
  let nowMs = 0;
  const recent = new RecentChanges({ now: () => nowMs, keptMs: 100, keptMax: 3 });
  for (const user of ['a', 'b', 'c']) recent.note({ user });
  const other = { user: 'x', document: 'd' };
  expect(recent.cameSince(0, other)).toBe(false);
  const before = recent.last;
  recent.note({ user: 'd' });
  expect(recent.cameSince(0, other)).toBe(true);
  expect(recent.cameSince(before, other)).toBe(false);
  nowMs = 101;
  expect(recent.cameSince(0, other)).toBe(false);
});
