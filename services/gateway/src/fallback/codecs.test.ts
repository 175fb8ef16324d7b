import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { closeEvent, frameText, framesEvent } from './event-stream.ts';
import { checkPushBody, framesOf } from './push-body.ts';
import { decodeMessages, encodeMessage, joined, type SessionMessage } from './session-messages.ts';
import { ownerOf, sessionId } from './session-id.ts';

const secret = 'abcdefghijklmnopqrstuv';

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

const bodyOf = (frames: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat(frames.flatMap((frame) => [Buffer.from(varint(frame.byteLength)), Buffer.from(frame)]));

test('[GW42] a body comes apart as it was put together; cut anywhere but between frames it is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), fc.nat(), (frames, cut) => {
      const body = bodyOf(frames);
      expect(checkPushBody(body)).toEqual({ frames: frames.length });
      expect([...framesOf(body)].map((frame) => Buffer.from(frame))).toEqual(frames.map((frame) => Buffer.from(frame)));
      const at = cut % (body.byteLength + 1);
      const ends = frames.map((_, i) => bodyOf(frames.slice(0, i + 1)).byteLength);
      expect('frames' in checkPushBody(body.subarray(0, at))).toBe(at === 0 || ends.includes(at));
    }),
  );
});

test('[GW42] a length that does not end, or is beyond what a body may have, is refused with a sentence', () => {
  expect(checkPushBody(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))).toEqual({
    problem: 'the length of frame 1 is not a whole varint of at most 5 bytes',
  });
  expect(checkPushBody(Uint8Array.of(1, 7, 0xff, 0xff, 0xff, 0xff, 0x7f))).toEqual({
    problem: 'frame 2 announces 34359738367 bytes, 0 follow',
  });
});

test('[GW42] a small frame does not keep a large body alive', () => {
  const body = bodyOf([new Uint8Array(10), new Uint8Array(100_000), new Uint8Array(10)]);
  expect([...framesOf(body)].map((frame) => frame.buffer.byteLength < 1_000)).toEqual([true, false, true]);
  // `slice` of a Buffer gives a view.
  for (const frame of framesOf(body)) expect(Buffer.isBuffer(frame)).toBe(false);
});

test('[GW41] events are lines of ASCII', () => {
  expect(framesEvent(7, [frameText(Uint8Array.of(1, 2)), frameText(Uint8Array.of())])).toBe('id: 7\ndata: AQI= \n\n');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (reason) => {
      const event = closeEvent(3, { code: 4403, reason });
      expect(event).toMatch(/^event: close\nid: 3\ndata: [\x20-\x7f]*\n\n$/);
      expect(JSON.parse(event.split('data: ')[1]!)).toEqual({ code: 4403, reason });
    }),
  );
});

test("[GW46] a session's id says whose it is, and nothing else is one", () => {
  expect(ownerOf(sessionId({ id: 'gw-1', incarnation: '0a1b' }, secret))).toEqual({ id: 'gw-1', incarnation: '0a1b' });
  for (const bad of ['', 'x', `~i~${secret}`, `g~i~${secret}x`, `g.*~i~${secret}`, `g~>~${secret}`, `g~i~${secret}\n`])
    expect(ownerOf(bad)).toBeUndefined();
});

const anyMessage: fc.Arbitrary<SessionMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    session: fc.string(),
    n: fc.nat(),
    seen: fc.option(fc.nat(), { nil: undefined }),
    close: fc.option(fc.nat(), { nil: undefined }),
    transfer: fc.nat(),
    offset: fc.nat(),
    total: fc.nat(),
    data: fc.uint8Array(),
  }),
  fc.record({
    kind: fc.constant('resume' as const),
    session: fc.string(),
    after: fc.nat(),
    holder: fc.string(),
    incarnation: fc.string(),
    stream: fc.nat(),
  }),
  fc.record({
    kind: fc.constant('events' as const),
    session: fc.string(),
    stream: fc.nat(),
    offset: fc.nat(),
    data: fc.uint8Array(),
  }),
  fc.record({
    kind: fc.constantFrom('at' as const, 'end' as const, 'cut' as const),
    session: fc.string(),
    stream: fc.nat(),
    offset: fc.nat(),
  }),
  fc.record({
    kind: fc.constantFrom('taken' as const, 'gone' as const),
    session: fc.string(),
    stream: fc.nat(),
    offset: fc.nat(),
    holder: fc.string(),
    incarnation: fc.string(),
  }),
);

test('[GW46] messages between gateways: several in one, as they were said', () => {
  const plain = (message: SessionMessage): unknown => ('data' in message ? { ...message, data: [...message.data] } : message);
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 5 }), (messages) => {
      expect(decodeMessages(joined(messages.map(encodeMessage))).map(plain)).toEqual(messages.map(plain));
    }),
  );
});

test('[GW46] what is no message is refused, whatever it is', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        decodeMessages(bytes);
      } catch (error) {
        expect((error as Error).name).toBe('EnvelopeError');
      }
    }),
  );
  for (const head of [
    '{}',
    '[]',
    'null',
    '1',
    '{"kind":"push"}',
    '{"kind":"wish","session":"s"}',
    '{"kind":"at","session":"s","stream":-1}',
  ])
    expect(() => decodeMessages(bodyOf([Buffer.from(head), Buffer.from('')])), head).toThrow(/message about a session/);
});
