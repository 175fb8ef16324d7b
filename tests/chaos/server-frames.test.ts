import { CollabServerFrames, yServerFrames } from '@weft/protocol';
import { expect, test } from 'vitest';
import { judgeFrame } from './server-frames.ts';

const collab = new CollabServerFrames('plan');

test('what a gateway sends in earnest is fine', () => {
  for (const frame of [
    collab.syncStep1(Uint8Array.of(0)),
    collab.update(Uint8Array.of(0, 0)),
    collab.syncStatus(true),
    collab.authenticated('read-write'),
  ])
    expect(judgeFrame('hocuspocus-4', frame)).toEqual({ kind: 'fine' });
  for (const frame of [yServerFrames.syncStep2(Uint8Array.of(0, 0)), yServerFrames.update(Uint8Array.of(0, 0))])
    expect(judgeFrame('y-websocket', frame)).toEqual({ kind: 'fine' });
  expect(judgeFrame('hocuspocus-4', Uint8Array.of(9))).toEqual({ kind: 'fine' });
});

test('a refusal is told apart', () => {
  expect(judgeFrame('hocuspocus-4', collab.syncStatus(false)).kind).toBe('refused');
  expect(judgeFrame('hocuspocus-3', collab.permissionDenied('no'))).toEqual({ kind: 'denied', says: 'no' });
  expect(judgeFrame('hocuspocus-4', collab.close('gone')).kind).toBe('document closed');
});

test('a frame cut off, or with bytes left over, is unreadable', () => {
  const frame = collab.update(Uint8Array.of(1, 2, 3, 4));
  expect(judgeFrame('hocuspocus-4', frame.subarray(0, -1)).kind).toBe('unreadable');
  expect(judgeFrame('hocuspocus-4', Uint8Array.of(...frame, 0)).kind).toBe('unreadable');
  expect(judgeFrame('y-websocket', Uint8Array.of(77)).kind).toBe('unreadable');
});
