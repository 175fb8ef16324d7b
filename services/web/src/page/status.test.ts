import fc from 'fast-check';
import { expect, test } from 'vitest';

import { OFFLINE_WORDS, describe } from './status.ts';
import type { Connection } from './status.ts';

const open: Connection = { socket: 'connected', synced: true, unsynced: 0, refused: undefined, readOnly: false, wasConnected: true };

test.each<[string, Partial<Connection>, string]>([
  ['all acknowledged', {}, 'Saved'],
  ['an edit under way', { unsynced: 1 }, 'Saving…'],
  ['the state not here yet', { synced: false, unsynced: 1 }, 'Opening…'],
  ['the connection lost', { socket: 'disconnected' }, OFFLINE_WORDS],
  ['coming back', { socket: 'connecting', unsynced: 3 }, OFFLINE_WORDS],
  ['the first attempt', { socket: 'connecting', wasConnected: false, synced: false }, 'Connecting…'],
  ['no right', { refused: 'token expired', socket: 'disconnected' }, 'No access: token expired'],
  ['a reader', { readOnly: true }, 'You may read this document'],
])('%s', (_what, change, words) => {
  expect(describe({ ...open, ...change }).words).toBe(words);
});

test('"Saved" is never said with an edit unacknowledged or the connection away', () => {
  const connections = fc.record({
    socket: fc.constantFrom('connecting', 'connected', 'disconnected'),
    synced: fc.boolean(),
    unsynced: fc.nat(3),
    refused: fc.option(fc.string(), { nil: undefined }),
    readOnly: fc.boolean(),
    wasConnected: fc.boolean(),
  }) as fc.Arbitrary<Connection>;
  fc.assert(
    fc.property(connections, (connection) => {
      if (describe(connection).words !== 'Saved') return;
      expect(connection).toMatchObject({ socket: 'connected', synced: true, unsynced: 0, refused: undefined, readOnly: false });
    }),
  );
});
