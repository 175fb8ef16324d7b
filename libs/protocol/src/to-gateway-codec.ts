import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
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

/** A view that is good until the next message is encoded, whichever it is: publish it at once (the bus copies), or copy it. */
export function encodeToGateway(message: ToGateway): Uint8Array {
  const writer = beginEnvelope(KIND[message.kind]);
  writePeer(writer, message.worker);
  switch (message.kind) {
    case 'answer':
      writer.varUint(message.question);
      writer.varUint(message.slice);
      writer.varString(message.logIdentity);
      writer.varUint(message.position);
      writer.varUint(message.link);
      writer.varUint(message.sequence);
      writer.varBytes(message.stateVector);
      writer.varUint(message.totalBytes);
      writer.varBytes(message.bytes);
      writePresence(writer, message.presence);
      break;
    case 'answer-bytes':
      writer.varUint(message.question);
      writer.varUint(message.offset);
      writer.varBytes(message.bytes);
      break;
    case 'refusal':
      writer.varUint(message.question);
      writer.varUint(REFUSAL_REASONS.indexOf(message.reason));
      writer.varString(message.detail);
      break;
    case 'contains-answer':
      writer.varUint(message.question);
      writer.byte(message.contained ? 1 : 0);
      break;
    case 'relay':
      writeRelay(writer, message);
      break;
    case 'presence-relay':
      writer.varString(message.document);
      writePresence(writer, message.entries);
      break;
    case 'stateless-relay':
      writer.varString(message.document);
      writer.varString(message.payload);
      break;
  }
  return writer.written();
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
        logIdentity: reader.name('a log identity'),
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
      return { kind: 'presence-relay', worker, document: reader.name('a document'), entries: readPresence(reader) };
    case KIND['stateless-relay']:
      return { kind: 'stateless-relay', worker, document: reader.name('a document'), payload: reader.varString('a payload') };
    default:
      return refuseEnvelope(`kind ${kind} to a gateway; expected 32 to 38`);
  }
}

function writeRelay(writer: ByteWriter, relay: Relay): void {
  writer.varUint(relay.slice);
  writer.varString(relay.logIdentity);
  writer.varUint(relay.link);
  writer.varUint(relay.sequence);
  writer.varUint(relay.from);
  writer.varUint(relay.to);
  writer.varUint(relay.documents.length);
  for (const { document, update } of relay.documents) {
    writer.varString(document);
    writer.byte(update === undefined ? 0 : 1);
    if (update !== undefined) writer.varBytes(update);
  }
  writer.varUint(relay.released.length);
  for (const document of relay.released) writer.varString(document);
}

function readRelay(reader: ByteReader): Omit<Relay, 'kind' | 'worker'> {
  return {
    slice: reader.varUint('a slice'),
    logIdentity: reader.name('a log identity'),
    link: reader.varUint('a link'),
    sequence: reader.varUint('a sequence'),
    from: reader.varUint('a position'),
    to: reader.varUint('a position'),
    documents: readList(reader, () => ({
      document: reader.name('a document'),
      update: readFlag(reader, 'whether there is an update') ? reader.varBytes('an update') : undefined,
    })),
    released: readList(reader, () => reader.name('a document')),
  };
}

function readReason(reader: ByteReader): RefusalReason {
  const place = reader.varUint('a reason');
  return REFUSAL_REASONS[place] ?? refuseEnvelope(`reason ${place}; expected 0 to ${REFUSAL_REASONS.length - 1}`);
}
