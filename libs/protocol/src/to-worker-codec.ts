import * as encoding from 'lib0/encoding';
import type { ByteReader } from './byte-reader.ts';
import type { ToWorker, Want } from './envelope.ts';
import { beginEnvelope, readEnvelope, readPeer, readPresence, refuseEnvelope, writePeer, writePresence } from './envelope-fields.ts';

const KIND = { open: 1, fetch: 2, contains: 3, close: 4, presence: 5, stateless: 6, 'keep-alive': 7 } as const satisfies Record<
  ToWorker['kind'],
  number
>;
const WANT_STATE_VECTOR = 0;
const WANT_SINCE = 1;
const WANT_NOTHING = 2;

export function encodeToWorker(message: ToWorker): Uint8Array {
  const encoder = beginEnvelope(KIND[message.kind]);
  writePeer(encoder, message.gateway);
  switch (message.kind) {
    case 'open':
      encoding.writeVarUint(encoder, message.question);
      encoding.writeVarString(encoder, message.document);
      encoding.writeVarUint(encoder, message.atLeast);
      encoding.writeVarString(encoder, message.logIdentity);
      writeWant(encoder, message.want);
      writePresence(encoder, message.presence);
      break;
    case 'fetch':
      encoding.writeVarUint(encoder, message.question);
      encoding.writeVarUint(encoder, message.offset);
      encoding.writeVarUint(encoder, message.bytesMax);
      break;
    case 'contains':
      encoding.writeVarUint(encoder, message.question);
      encoding.writeVarString(encoder, message.document);
      encoding.writeVarUint(encoder, message.atLeast);
      encoding.writeVarString(encoder, message.logIdentity);
      encoding.writeVarUint8Array(encoder, message.update);
      break;
    case 'close':
      encoding.writeVarString(encoder, message.document);
      encoding.writeVarUint(encoder, message.asked);
      break;
    case 'presence':
      encoding.writeVarString(encoder, message.document);
      writePresence(encoder, message.entries);
      break;
    case 'stateless':
      encoding.writeVarString(encoder, message.document);
      encoding.writeVarString(encoder, message.payload);
      break;
    case 'keep-alive':
      break;
  }
  return encoding.toUint8Array(encoder);
}

/** Byte strings are views into `bytes`. Throws `EnvelopeError`. */
export function decodeToWorker(bytes: Uint8Array): ToWorker {
  return readEnvelope(bytes, readToWorker);
}

function readToWorker(kind: number, reader: ByteReader): ToWorker {
  const gateway = readPeer(reader);
  switch (kind) {
    case KIND.open:
      return {
        kind: 'open',
        gateway,
        question: reader.varUint('a question'),
        document: reader.varString('a document'),
        atLeast: reader.varUint('a position'),
        logIdentity: reader.varString('a log identity'),
        want: readWant(reader),
        presence: readPresence(reader),
      };
    case KIND.fetch:
      return {
        kind: 'fetch',
        gateway,
        question: reader.varUint('a question'),
        offset: reader.varUint('an offset'),
        bytesMax: reader.varUint('a number of bytes'),
      };
    case KIND.contains:
      return {
        kind: 'contains',
        gateway,
        question: reader.varUint('a question'),
        document: reader.varString('a document'),
        atLeast: reader.varUint('a position'),
        logIdentity: reader.varString('a log identity'),
        update: reader.varBytes('an update'),
      };
    case KIND.close:
      return { kind: 'close', gateway, document: reader.varString('a document'), asked: reader.varUint('a question') };
    case KIND.presence:
      return { kind: 'presence', gateway, document: reader.varString('a document'), entries: readPresence(reader) };
    case KIND.stateless:
      return { kind: 'stateless', gateway, document: reader.varString('a document'), payload: reader.varString('a payload') };
    case KIND['keep-alive']:
      return { kind: 'keep-alive', gateway };
    default:
      return refuseEnvelope(`kind ${kind} to a worker; expected 1 to 7`);
  }
}

function writeWant(encoder: encoding.Encoder, want: Want): void {
  switch (want.kind) {
    case 'state-vector':
      encoding.writeUint8(encoder, WANT_STATE_VECTOR);
      encoding.writeVarUint8Array(encoder, want.stateVector);
      break;
    case 'since':
      encoding.writeUint8(encoder, WANT_SINCE);
      encoding.writeVarUint(encoder, want.position);
      encoding.writeVarUint8Array(encoder, want.stateVector);
      break;
    case 'nothing':
      encoding.writeUint8(encoder, WANT_NOTHING);
      break;
  }
}

function readWant(reader: ByteReader): Want {
  const want = reader.byte('what is wanted');
  switch (want) {
    case WANT_STATE_VECTOR:
      return { kind: 'state-vector', stateVector: reader.varBytes('a state vector') };
    case WANT_SINCE:
      return { kind: 'since', position: reader.varUint('a position'), stateVector: reader.varBytes('a state vector') };
    case WANT_NOTHING:
      return { kind: 'nothing' };
    default:
      return refuseEnvelope(`want ${want}; expected 0 to 2`);
  }
}
