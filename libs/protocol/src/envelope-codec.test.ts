import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Heartbeat, Peer, PresenceEntry, ToGateway, ToWorker, Want } from './envelope.ts';
import { EnvelopeError } from './envelope-error.ts';
import { decodeHeartbeat, encodeHeartbeat } from './heartbeat-codec.ts';
import { decodeToGateway, encodeToGateway } from './to-gateway-codec.ts';
import { decodeToWorker, encodeToWorker } from './to-worker-codec.ts';

const number = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 200 });
const peer: fc.Arbitrary<Peer> = fc.record({ id: text, incarnation: text });
const presence: fc.Arbitrary<PresenceEntry[]> = fc.array(fc.record({ clientId: number, clock: number, json: text }), { maxLength: 4 });
const want: fc.Arbitrary<Want> = fc.oneof(
  fc.record({ kind: fc.constant('state-vector' as const), stateVector: bytes }),
  fc.record({ kind: fc.constant('since' as const), position: number, stateVector: bytes }),
  fc.record({ kind: fc.constant('nothing' as const) }),
);

const kind = <Kind extends string>(name: Kind) => fc.constant(name);
/** One for every kind: the compiler keeps the tables complete. */
const toWorker: { [Kind in ToWorker['kind']]: fc.Arbitrary<Extract<ToWorker, { kind: Kind }>> } = {
  open: fc.record({
    kind: kind('open'),
    gateway: peer,
    question: number,
    document: text,
    atLeast: number,
    logIdentity: text,
    want,
    presence,
  }),
  fetch: fc.record({ kind: kind('fetch'), gateway: peer, question: number, offset: number, bytesMax: number }),
  contains: fc.record({
    kind: kind('contains'),
    gateway: peer,
    question: number,
    document: text,
    atLeast: number,
    logIdentity: text,
    update: bytes,
  }),
  close: fc.record({ kind: kind('close'), gateway: peer, document: text, asked: number }),
  presence: fc.record({ kind: kind('presence'), gateway: peer, document: text, entries: presence }),
  stateless: fc.record({ kind: kind('stateless'), gateway: peer, document: text, payload: text }),
  'keep-alive': fc.record({ kind: kind('keep-alive'), gateway: peer }),
};
const toGateway: { [Kind in ToGateway['kind']]: fc.Arbitrary<Extract<ToGateway, { kind: Kind }>> } = {
  answer: fc.record({
    kind: kind('answer'),
    worker: peer,
    question: number,
    slice: number,
    logIdentity: text,
    position: number,
    link: number,
    sequence: number,
    stateVector: bytes,
    totalBytes: number,
    bytes,
    presence,
  }),
  'answer-bytes': fc.record({ kind: kind('answer-bytes'), worker: peer, question: number, offset: number, bytes }),
  refusal: fc.record({
    kind: kind('refusal'),
    worker: peer,
    question: number,
    reason: fc.constantFrom('not-owner' as const, 'unavailable' as const, 'expired' as const, 'unknown-link' as const),
    detail: text,
  }),
  'contains-answer': fc.record({ kind: kind('contains-answer'), worker: peer, question: number, contained: fc.boolean() }),
  relay: fc.record({
    kind: kind('relay'),
    worker: peer,
    slice: number,
    logIdentity: text,
    link: number,
    sequence: number,
    from: number,
    to: number,
    documents: fc.array(fc.record({ document: text, update: fc.option(bytes, { nil: undefined }) }), { maxLength: 4 }),
    released: fc.array(text, { maxLength: 3 }),
  }),
  'presence-relay': fc.record({ kind: kind('presence-relay'), worker: peer, document: text, entries: presence }),
  'stateless-relay': fc.record({ kind: kind('stateless-relay'), worker: peer, document: text, payload: text }),
};
const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
  kind: kind('heartbeat'),
  role: fc.constantFrom('worker' as const, 'gateway' as const),
  peer,
  draining: fc.boolean(),
  load: number,
});

const anyToWorker = fc.oneof(...Object.values(toWorker)) as fc.Arbitrary<ToWorker>;
const anyToGateway = fc.oneof(...Object.values(toGateway)) as fc.Arbitrary<ToGateway>;

test('[EN1] every message round-trips', () => {
  fc.assert(
    fc.property(anyToWorker, (message) => {
      expect(decodeToWorker(encodeToWorker(message))).toEqual(message);
    }),
  );
  fc.assert(
    fc.property(anyToGateway, (message) => {
      expect(decodeToGateway(encodeToGateway(message))).toEqual(message);
    }),
  );
  fc.assert(
    fc.property(heartbeat, (message) => {
      expect(decodeHeartbeat(encodeHeartbeat(message))).toEqual(message);
    }),
  );
});

test('[EN2] truncated, trailing, mangled or foreign bytes fail with EnvelopeError and nothing else', () => {
  const onlyEnvelopeErrors = (decode: (bytes: Uint8Array) => unknown, message: Uint8Array) => {
    try {
      decode(message);
    } catch (error) {
      expect(error).toBeInstanceOf(EnvelopeError);
    }
  };
  const encoded = fc.oneof(
    anyToWorker.map((message) => encodeToWorker(message).slice()),
    anyToGateway.map((message) => encodeToGateway(message).slice()),
    heartbeat.map((message) => encodeHeartbeat(message).slice()),
  );
  fc.assert(
    fc.property(encoded, fc.nat(), fc.nat({ max: 255 }), bytes, (message, at, value, random) => {
      const mangled = Uint8Array.from(message);
      mangled[at % message.length] = value;
      const cut = message.subarray(0, at % message.length);
      for (const decode of [decodeToWorker, decodeToGateway, decodeHeartbeat]) {
        for (const one of [mangled, random, message]) onlyEnvelopeErrors(decode, one);
        expect(() => decode(cut)).toThrow(EnvelopeError);
        expect(() => decode(Uint8Array.from([...message, 0]))).toThrow(EnvelopeError);
      }
    }),
    { numRuns: 300 },
  );
});

test('[EN3] the first byte is the kind, the second the version, and another version is refused', () => {
  const message = encodeHeartbeat({ kind: 'heartbeat', role: 'worker', peer: { id: 'a', incarnation: 'b' }, draining: false, load: 3 });
  expect([...message.subarray(0, 2)]).toEqual([64, 1]);
  message[1] = 2;
  expect(() => decodeHeartbeat(message)).toThrow('version 2; expected 1');
});

test('[EN4] a message is a view, good until the next one is encoded, whichever it is', () => {
  const peer = { id: 'a', incarnation: 'b' };
  const first = encodeToWorker({ kind: 'keep-alive', gateway: peer });
  const kept = first.slice();
  encodeHeartbeat({ kind: 'heartbeat', role: 'worker', peer, draining: false, load: 3 });
  expect(first).not.toEqual(kept);
  expect(decodeToWorker(kept)).toEqual({ kind: 'keep-alive', gateway: peer });
});
