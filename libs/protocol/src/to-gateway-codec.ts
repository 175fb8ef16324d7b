import * as encoding from 'lib0/encoding';
import type { ByteReader } from './byte-reader.ts';
import type { RefusalReason, Relay, ToGateway } from './envelope.ts';
import {
  beginEnvelope,
  readEnvelope,
  readFlag,
  readList,
  readPeer,
  readPresence,
  refuseEnvelope,
  writePeer,
  writePresence,
} from './envelope-fields.ts';

const KIND = {
  answer: 32,
  'answer-bytes': 33,
  refusal: 34,
  'contains-answer': 35,
  relay: 36,
  'presence-relay': 37,
  'stateless-relay': 38,
} as const satisfies Record<ToGateway['kind'], number>;

/** Their places are their numbers on the wire: add at the end only. */
const REFUSAL_REASONS = ['not-owner', 'unavailable', 'expired', 'unknown-link'] as const satisfies readonly RefusalReason[];

export function encodeToGateway(message: ToGateway): Uint8Array {
  const encoder = beginEnvelope(KIND[message.kind]);
  writePeer(encoder, message.worker);
  switch (message.kind) {
    case 'answer':
      encoding.writeVarUint(encoder, message.question);
      encoding.writeVarUint(encoder, message.slice);
      encoding.writeVarString(encoder, message.logIdentity);
      encoding.writeVarUint(encoder, message.position);
      encoding.writeVarUint(encoder, message.link);
      encoding.writeVarUint(encoder, message.sequence);
      encoding.writeVarUint8Array(encoder, message.stateVector);
      encoding.writeVarUint(encoder, message.totalBytes);
      encoding.writeVarUint8Array(encoder, message.bytes);
      writePresence(encoder, message.presence);
      break;
    case 'answer-bytes':
      encoding.writeVarUint(encoder, message.question);
      encoding.writeVarUint(encoder, message.offset);
      encoding.writeVarUint8Array(encoder, message.bytes);
      break;
    case 'refusal':
      encoding.writeVarUint(encoder, message.question);
      encoding.writeVarUint(encoder, REFUSAL_REASONS.indexOf(message.reason));
      encoding.writeVarString(encoder, message.detail);
      break;
    case 'contains-answer':
      encoding.writeVarUint(encoder, message.question);
      encoding.writeUint8(encoder, message.contained ? 1 : 0);
      break;
    case 'relay':
      writeRelay(encoder, message);
      break;
    case 'presence-relay':
      encoding.writeVarString(encoder, message.document);
      writePresence(encoder, message.entries);
      break;
    case 'stateless-relay':
      encoding.writeVarString(encoder, message.document);
      encoding.writeVarString(encoder, message.payload);
      break;
  }
  return encoding.toUint8Array(encoder);
}

/** Byte strings are views into `bytes`. Throws `EnvelopeError`. */
export function decodeToGateway(bytes: Uint8Array): ToGateway {
  return readEnvelope(bytes, readToGateway);
}

function readToGateway(kind: number, reader: ByteReader): ToGateway {
  const worker = readPeer(reader);
  switch (kind) {
    case KIND.answer:
      return {
        kind: 'answer',
        worker,
        question: reader.varUint('a question'),
        slice: reader.varUint('a slice'),
        logIdentity: reader.varString('a log identity'),
        position: reader.varUint('a position'),
        link: reader.varUint('a link'),
        sequence: reader.varUint('a sequence'),
        stateVector: reader.varBytes('a state vector'),
        totalBytes: reader.varUint('a number of bytes'),
        bytes: reader.varBytes('an answer'),
        presence: readPresence(reader),
      };
    case KIND['answer-bytes']:
      return {
        kind: 'answer-bytes',
        worker,
        question: reader.varUint('a question'),
        offset: reader.varUint('an offset'),
        bytes: reader.varBytes('an answer'),
      };
    case KIND.refusal:
      return {
        kind: 'refusal',
        worker,
        question: reader.varUint('a question'),
        reason: readReason(reader),
        detail: reader.varString('a detail'),
      };
    case KIND['contains-answer']:
      return {
        kind: 'contains-answer',
        worker,
        question: reader.varUint('a question'),
        contained: readFlag(reader, 'whether it is contained'),
      };
    case KIND.relay:
      return { kind: 'relay', worker, ...readRelay(reader) };
    case KIND['presence-relay']:
      return { kind: 'presence-relay', worker, document: reader.varString('a document'), entries: readPresence(reader) };
    case KIND['stateless-relay']:
      return { kind: 'stateless-relay', worker, document: reader.varString('a document'), payload: reader.varString('a payload') };
    default:
      return refuseEnvelope(`kind ${kind} to a gateway; expected 32 to 38`);
  }
}

function writeRelay(encoder: encoding.Encoder, relay: Relay): void {
  encoding.writeVarUint(encoder, relay.slice);
  encoding.writeVarString(encoder, relay.logIdentity);
  encoding.writeVarUint(encoder, relay.link);
  encoding.writeVarUint(encoder, relay.sequence);
  encoding.writeVarUint(encoder, relay.from);
  encoding.writeVarUint(encoder, relay.to);
  encoding.writeVarUint(encoder, relay.documents.length);
  for (const { document, update } of relay.documents) {
    encoding.writeVarString(encoder, document);
    encoding.writeUint8(encoder, update === undefined ? 0 : 1);
    if (update !== undefined) encoding.writeVarUint8Array(encoder, update);
  }
  encoding.writeVarUint(encoder, relay.released.length);
  for (const document of relay.released) encoding.writeVarString(encoder, document);
}

function readRelay(reader: ByteReader): Omit<Relay, 'kind' | 'worker'> {
  return {
    slice: reader.varUint('a slice'),
    logIdentity: reader.varString('a log identity'),
    link: reader.varUint('a link'),
    sequence: reader.varUint('a sequence'),
    from: reader.varUint('a position'),
    to: reader.varUint('a position'),
    documents: readList(reader, () => ({
      document: reader.varString('a document'),
      update: readFlag(reader, 'whether there is an update') ? reader.varBytes('an update') : undefined,
    })),
    released: readList(reader, () => reader.varString('a document')),
  };
}

function readReason(reader: ByteReader): RefusalReason {
  const place = reader.varUint('a reason');
  return REFUSAL_REASONS[place] ?? refuseEnvelope(`reason ${place}; expected 0 to ${REFUSAL_REASONS.length - 1}`);
}
