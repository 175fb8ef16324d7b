import * as encoding from 'lib0/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeAwareness } from './awareness-codec.ts';
import { type CollabClientMessage, decodeCollabFrame } from './collab-dialect.ts';
import { CollabServerFrames } from './collab-server-frames.ts';
import { documentNameProblem } from './document-name.ts';
import { FrameError } from './frame-error.ts';
import { decodeYFrame, yServerFrames } from './y-dialect.ts';

const limits = { awarenessEntriesMax: 5 };
const bytes = fc.uint8Array({ maxLength: 300 });
const entries = fc.array(fc.record({ clientId: fc.nat(), clock: fc.nat(), json: fc.json() }), { maxLength: 5 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((one) => documentNameProblem(one) === undefined);

/** What a server sends in both ways, read back as a client's frame: Sync, Awareness, QueryAwareness and Stateless look the same. */
const message = fc.oneof(
  bytes.map((stateVector) => ({ type: 'sync-step1' as const, stateVector })),
  bytes.map((update) => ({ type: 'sync-step2' as const, update })),
  bytes.map((update) => ({ type: 'update' as const, update })),
  entries.map((some) => ({ type: 'awareness' as const, entries: some })),
);

function encode(
  frames: Pick<CollabServerFrames, 'syncStep1' | 'syncStep2' | 'update' | 'awareness'>,
  one: CollabClientMessage,
): Uint8Array {
  switch (one.type) {
    case 'sync-step1':
      return frames.syncStep1(one.stateVector);
    case 'sync-step2':
      return frames.syncStep2(one.update);
    case 'update':
      return frames.update(one.update);
    case 'awareness':
      return frames.awareness(encodeAwareness(one.entries));
    default:
      throw new Error(`no such frame here: ${one.type}`);
  }
}

test('[CD9] [YD4] frames round-trip in both dialects', () => {
  fc.assert(
    fc.property(name, fc.option(fc.string({ maxLength: 20 }), { nil: undefined }), message, (document, sessionId, one) => {
      const address = sessionId === undefined ? document : `${document}\0${sessionId}`;
      const expected = { address, document, ...(sessionId === undefined ? {} : { sessionId }), ...one };
      expect(decodeCollabFrame(encode(new CollabServerFrames(address), one), limits)).toEqual(expected);
      expect(decodeYFrame(encode(yServerFrames, one), limits)).toEqual(one);
    }),
  );
});

test('[CD10] [YD5] whatever the bytes, a decoder fails with FrameError and nothing else', () => {
  const decoders = [(frame: Uint8Array) => decodeCollabFrame(frame, limits), (frame: Uint8Array) => decodeYFrame(frame, limits)];
  const likely = fc.tuple(name, fc.nat({ max: 12 }), fc.nat({ max: 4 }), bytes).map(([document, type, subtype, rest]) =>
    encoding.encode((encoder) => {
      encoding.writeVarString(encoder, document);
      encoding.writeUint8Array(encoder, Uint8Array.of(type, subtype));
      encoding.writeUint8Array(encoder, rest);
    }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        likely,
        likely.map((frame) => frame.subarray(frame[0]! + 1)),
      ),
      (frame) => {
        for (const decode of decoders) {
          try {
            decode(frame);
          } catch (error) {
            expect(error).toBeInstanceOf(FrameError);
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});
