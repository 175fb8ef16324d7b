import * as encoding from 'lib0/encoding';
import { ByteReader } from './byte-reader.ts';
import type { Peer, PresenceEntry } from './envelope.ts';
import { EnvelopeError } from './envelope-error.ts';

/** Second byte of every message. A peer of another version is refused, not guessed at. */
const ENVELOPE_VERSION = 1;

/** An encoder that has written kind and version. */
export function beginEnvelope(kind: number): encoding.Encoder {
  const encoder = encoding.createEncoder();
  encoding.writeUint8(encoder, kind);
  encoding.writeUint8(encoder, ENVELOPE_VERSION);
  return encoder;
}

/** Reads a whole message: kind and version first, nothing may be left over. Byte strings are views into `bytes`. Throws `EnvelopeError`. */
export function readEnvelope<Message>(bytes: Uint8Array, read: (kind: number, reader: ByteReader) => Message): Message {
  const reader = new ByteReader(bytes, refuseEnvelope);
  const kind = reader.byte('a message kind');
  const version = reader.byte('a message version');
  if (version !== ENVELOPE_VERSION) refuseEnvelope(`version ${version}; expected ${ENVELOPE_VERSION}`);
  const message = read(kind, reader);
  reader.end();
  return message;
}

export function refuseEnvelope(detail: string): never {
  throw new EnvelopeError(`not a message of the bus: ${detail}`);
}

export function writePeer(encoder: encoding.Encoder, peer: Peer): void {
  encoding.writeVarString(encoder, peer.id);
  encoding.writeVarString(encoder, peer.incarnation);
}

export function readPeer(reader: ByteReader): Peer {
  return { id: reader.varString('a peer id'), incarnation: reader.varString('an incarnation') };
}

export function writePresence(encoder: encoding.Encoder, entries: readonly PresenceEntry[]): void {
  encoding.writeVarUint(encoder, entries.length);
  for (const entry of entries) {
    encoding.writeVarUint(encoder, entry.clientId);
    encoding.writeVarUint(encoder, entry.clock);
    encoding.writeVarString(encoder, entry.json);
  }
}

export function readPresence(reader: ByteReader): PresenceEntry[] {
  return readList(reader, () => ({
    clientId: reader.varUint('a presence client id'),
    clock: reader.varUint('a presence clock'),
    json: reader.varString('a presence state'),
  }));
}

export function readList<Item>(reader: ByteReader, read: () => Item): Item[] {
  const count = reader.varUint('a count');
  const items: Item[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}

export function readFlag(reader: ByteReader, what: string): boolean {
  const byte = reader.byte(what);
  if (byte > 1) refuseEnvelope(`${what} is ${byte}; expected 0 or 1`);
  return byte === 1;
}
