import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventParser, eventCharsMax, type StreamEvent } from './event-parser.ts';
import { bodyOf, framedBytes, framesOf } from './frames.ts';

function parsed(...pieces: readonly string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = new EventParser((event) => events.push(event));
  for (const piece of pieces) parser.add(piece);
  return events;
}

const stream = `:${' '.repeat(50)}\n\nevent: open\ndata: {"session":"x"}\n\n:\n\nid: 1\ndata: AQ== Ag==\n\nid:2\ndata:AA\nunknown: x\nretry: 5\nnothing\n\nevent: close\nid: 3\ndata: {\ndata:  }\n\n`;
const events: StreamEvent[] = [
  { type: 'open', id: '', data: '{"session":"x"}' },
  { type: 'message', id: '1', data: 'AQ== Ag==' },
  { type: 'message', id: '2', data: 'AA' },
  { type: 'close', id: '3', data: '{\n }' },
];

describe('[CL40] events', () => {
  test.each(['\n', '\r\n', '\r'])('with lines that end in %j, wherever the pieces are cut', (end) => {
    const text = stream.replaceAll('\n', end);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        expect(parsed(...at.slice(1).map((cut, i) => text.slice(at[i], cut)))).toEqual(events);
      }),
    );
    expect(parsed(...text.split(''))).toEqual(events);
  });

  test('one that is not ended is none, nor is one without data', () => {
    expect(parsed('data: x\n')).toEqual([]);
    expect(parsed('event: open\n\n')).toEqual([]);
  });

  test('a large one costs its length, not its square', () => {
    const piece = 'A'.repeat(16_384);
    const parser = new EventParser(({ data }) => expect(data).toHaveLength(16_384 * 2000));
    parser.add('data: ');
    for (let i = 0; i < 2000; i++) parser.add(piece);
    parser.add('\n\n');
    expect.assertions(1);
  });

  test('one without end is an error, many are not', () => {
    const parser = new EventParser(() => undefined);
    const megabyte = 'A'.repeat(2 ** 20);
    for (let i = 0; i < 300; i++) parser.add(`data: ${megabyte}\n\n`);
    expect(() => {
      for (let i = 0; i <= eventCharsMax / 2 ** 20; i++) parser.add(megabyte);
    }).toThrow(RangeError);
  });
});

test('[CL40] frames of an event', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array(), { minLength: 1 }), (frames) => {
      const data = frames.map((frame) => Buffer.from(frame).toString('base64')).join(' ');
      expect(framesOf(data).map((frame) => [...new Uint8Array(frame)])).toEqual(frames.map((frame) => [...frame]));
    }),
  );
});

test('[CL30] a body: lengths as varints, and the bytes', () => {
  expect([...bodyOf([])]).toEqual([]);
  expect([...bodyOf([new Uint8Array([7, 8]), new Uint8Array(0), new Uint8Array(300)]).slice(0, 7)]).toEqual([2, 7, 8, 0, 172, 2, 0]);
  for (const length of [0, 127, 128, 16_383, 16_384, 3_000_000])
    expect(bodyOf([new Uint8Array(length)])).toHaveLength(framedBytes(new Uint8Array(length)));
});
