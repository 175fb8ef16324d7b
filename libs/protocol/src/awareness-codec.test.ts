import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { decodeAwareness, encodeAwareness } from './awareness-codec.ts';
import { FrameError } from './frame-error.ts';

const entries = fc.array(
  fc.record({ clientId: fc.maxSafeNat(), clock: fc.maxSafeNat(), json: fc.jsonValue().map((value) => JSON.stringify(value)) }),
  { maxLength: 8 },
);

test('[AW1] round-trips', () => {
  fc.assert(
    fc.property(entries, (some) => {
      expect(decodeAwareness(encodeAwareness(some), 8)).toEqual(some);
    }),
  );
});

test('[AW1] the bytes are those of y-protocols', () => {
  const doc = new Y.Doc();
  const awareness = new Awareness(doc);
  awareness.setLocalState({ name: 'Ада' });
  const genuine = encodeAwarenessUpdate(awareness, [doc.clientID]);
  const decoded = decodeAwareness(genuine, 1);
  expect(decoded).toEqual([{ clientId: doc.clientID, clock: 1, json: '{"name":"Ада"}' }]);
  expect(encodeAwareness(decoded)).toEqual(genuine);
  const peer = new Awareness(new Y.Doc());
  applyAwarenessUpdate(peer, encodeAwareness([...decoded, { clientId: 3, clock: 9, json: 'null' }]), 'test');
  expect(peer.getStates().get(doc.clientID)).toEqual({ name: 'Ада' });
  awareness.destroy();
  peer.destroy();
});

test('[AW2] more entries than allowed are refused before they are read', () => {
  const bytes = encodeAwareness([
    { clientId: 1, clock: 1, json: '{}' },
    { clientId: 2, clock: 1, json: '{}' },
  ]);
  expect(() => decodeAwareness(bytes, 1)).toThrow('2 awareness entries in one frame; at most 1 are allowed');
  expect(() => decodeAwareness(Uint8Array.of(0x90, 0x4e), 9999)).toThrow(FrameError);
});

test('[AW3] a state that is not JSON is refused: applyAwarenessUpdate of every peer would throw on it', () => {
  const bytes = encodeAwareness([{ clientId: 1, clock: 1, json: '{oops' }]);
  const peer = new Awareness(new Y.Doc());
  expect(() => applyAwarenessUpdate(peer, bytes, 'test')).toThrow();
  expect(() => decodeAwareness(bytes, 1)).toThrow(FrameError);
  expect(() => decodeAwareness(bytes, 1)).not.toThrow(/oops/);
  expect(() => decodeAwareness(encodeAwareness([{ clientId: 1, clock: 1, json: `{"long":"${'x'.repeat(5_000)}"` }]), 1)).toThrow(
    FrameError,
  );
  peer.destroy();
});

test('[AW3] states short and long, nested deeply too, are taken as they are', () => {
  for (const json of ['null', JSON.stringify({ long: 'ü'.repeat(5_000) }), '['.repeat(100_000) + ']'.repeat(100_000)])
    expect(decodeAwareness(encodeAwareness([{ clientId: 1, clock: 1, json }]), 1)).toEqual([{ clientId: 1, clock: 1, json }]);
});

test('[EN4] what is encoded is a view, good until the next call', () => {
  const first = encodeAwareness([{ clientId: 1, clock: 1, json: '{"a":1}' }]);
  const kept = first.slice();
  encodeAwareness([{ clientId: 2, clock: 7, json: '{"b":2}' }]);
  expect(first).not.toEqual(kept);
  expect(decodeAwareness(kept, 1)).toEqual([{ clientId: 1, clock: 1, json: '{"a":1}' }]);
});
