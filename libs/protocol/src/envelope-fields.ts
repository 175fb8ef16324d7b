import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Peer, PresenceEntry } from './envelope.ts';
import { EnvelopeError } from './envelope-error.ts';

/** Second byte of every message. A peer of another version is refused, not guessed at. */
const ENVELOPE_VERSION = 1;

/** One for all messages: what it has written is good until the next message is begun. */
const writer = new ByteWriter();

/** The writer, which has written kind and version. */
export function beginEnvelope(kind: number): ByteWriter {
  writer.begin().byte(kind);
  writer.byte(ENVELOPE_VERSION);
  return writer;
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

export function writePeer(writer: ByteWriter, peer: Peer): void {
  writer.varString(peer.id);
  writer.varString(peer.incarnation);
}

export function readPeer(reader: ByteReader): Peer {
  return { id: reader.name('a peer id'), incarnation: reader.name('an incarnation') };
}

export function writePresence(writer: ByteWriter, entries: readonly PresenceEntry[]): void {
  writer.varUint(entries.length);
  for (const entry of entries) {
    writer.varUint(entry.clientId);
    writer.varUint(entry.clock);
    writer.varString(entry.json);
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
