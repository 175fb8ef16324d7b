import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { ToWorker, Want } from './envelope.ts';
import { beginEnvelope, readEnvelope, readPeer, readPresence, refuseEnvelope, writePeer, writePresence } from './envelope-fields.ts';

const KIND = { open: 1, fetch: 2, contains: 3, close: 4, presence: 5, stateless: 6, 'keep-alive': 7 } as const satisfies Record<
  ToWorker['kind'],
  number
>;
const WANT_STATE_VECTOR = 0;
const WANT_SINCE = 1;
const WANT_NOTHING = 2;

/** A view that is good until the next message is encoded, whichever it is: publish it at once (the bus copies), or copy it. */
export function encodeToWorker(message: ToWorker): Uint8Array {
  const writer = beginEnvelope(KIND[message.kind]);
  writePeer(writer, message.gateway);
  switch (message.kind) {
    case 'open':
      writer.varUint(message.question);
      writer.varString(message.document);
      writer.varUint(message.atLeast);
      writer.varString(message.logIdentity);
      writeWant(writer, message.want);
      writePresence(writer, message.presence);
      break;
    case 'fetch':
      writer.varUint(message.question);
      writer.varUint(message.offset);
      writer.varUint(message.bytesMax);
      break;
    case 'contains':
      writer.varUint(message.question);
      writer.varString(message.document);
      writer.varUint(message.atLeast);
      writer.varString(message.logIdentity);
      writer.varBytes(message.update);
      break;
    case 'close':
      writer.varString(message.document);
      writer.varUint(message.asked);
      break;
    case 'presence':
      writer.varString(message.document);
      writePresence(writer, message.entries);
      break;
    case 'stateless':
      writer.varString(message.document);
      writer.varString(message.payload);
      break;
    case 'keep-alive':
      break;
  }
  return writer.written();
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
        document: reader.name('a document'),
        atLeast: reader.varUint('a position'),
        logIdentity: reader.name('a log identity'),
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
        document: reader.name('a document'),
        atLeast: reader.varUint('a position'),
        logIdentity: reader.name('a log identity'),
        update: reader.varBytes('an update'),
      };
    case KIND.close:
      return { kind: 'close', gateway, document: reader.name('a document'), asked: reader.varUint('a question') };
    case KIND.presence:
      return { kind: 'presence', gateway, document: reader.name('a document'), entries: readPresence(reader) };
    case KIND.stateless:
      return { kind: 'stateless', gateway, document: reader.name('a document'), payload: reader.varString('a payload') };
    case KIND['keep-alive']:
      return { kind: 'keep-alive', gateway };
    default:
      return refuseEnvelope(`kind ${kind} to a worker; expected 1 to 7`);
  }
}

function writeWant(writer: ByteWriter, want: Want): void {
  switch (want.kind) {
    case 'state-vector':
      writer.byte(WANT_STATE_VECTOR);
      writer.varBytes(want.stateVector);
      break;
    case 'since':
      writer.byte(WANT_SINCE);
      writer.varUint(want.position);
      writer.varBytes(want.stateVector);
      break;
    case 'nothing':
      writer.byte(WANT_NOTHING);
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
