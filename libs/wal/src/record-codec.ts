import type { EntryPayload, RecordEntry, WalRecord } from './record.ts';
import { Reader, utf8Bytes, varUintBytes, Writer } from './varint.ts';

const formatVersion = 1;
const kindUpdate = 0;
const kindPiece = 1;

/** What was read is no record: the log holds something that is not ours, or a newer version's. `offset` in bytes. */
export class MalformedRecord extends Error {
  override readonly name = 'MalformedRecord';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset})`);
    this.offset = offset;
  }
}

const malformed = (what: string, offset: number): MalformedRecord => new MalformedRecord(what, offset);
const utf8 = new TextEncoder();

export const encodeUtf8 = (text: string): Uint8Array => utf8.encode(text);

/** An entry made ready to be written: its sizes are known. */
export interface MeasuredEntry {
  readonly partition: number;
  readonly document: string;
  /** Of the name in UTF-8. */
  readonly documentBytes: number;
  readonly payload: EntryPayload;
  readonly bodyBytes: number;
  /** Its share of a record: body and index line. */
  readonly recordBytes: number;
}

export function measureEntry(partition: number, document: string, payload: EntryPayload): MeasuredEntry {
  const documentBytes = utf8Bytes(document);
  const bodyBytes = varUintBytes(documentBytes) + documentBytes + 1 + payloadBytes(payload);
  return {
    partition,
    document,
    documentBytes,
    payload,
    bodyBytes,
    recordBytes: bodyBytes + varUintBytes(partition) + varUintBytes(bodyBytes),
  };
}

function payloadBytes(payload: EntryPayload): number {
  if (payload.kind === 'update') return payload.update.byteLength;
  return varUintBytes(payload.pieceId) + varUintBytes(payload.index) + varUintBytes(payload.count) + payload.bytes.byteLength;
}

/** Bytes of a record before its entries. */
export function headerBytes(origin: Uint8Array, sequence: number, entries: number): number {
  return 1 + varUintBytes(origin.byteLength) + origin.byteLength + varUintBytes(sequence) + varUintBytes(entries);
}

export function encodeMeasured(origin: Uint8Array, sequence: number, entries: readonly MeasuredEntry[]): Uint8Array {
  let size = headerBytes(origin, sequence, entries.length);
  for (const entry of entries) size += entry.recordBytes;
  const writer = new Writer(size);
  writer.byte(formatVersion);
  writer.lengthPrefixed(origin);
  writer.varUint(sequence);
  writer.varUint(entries.length);
  for (const entry of entries) {
    writer.varUint(entry.partition);
    writer.varUint(entry.bodyBytes);
  }
  for (const entry of entries) writeBody(writer, entry);
  return writer.bytes;
}

function writeBody(writer: Writer, { document, documentBytes, payload }: MeasuredEntry): void {
  writer.string(document, documentBytes);
  if (payload.kind === 'update') {
    writer.varUint(kindUpdate);
    writer.raw(payload.update);
    return;
  }
  writer.varUint(kindPiece);
  writer.varUint(payload.pieceId);
  writer.varUint(payload.index);
  writer.varUint(payload.count);
  writer.raw(payload.bytes);
}

export function encodeRecord(record: WalRecord): Uint8Array {
  const entries = record.entries.map(({ partition, document, payload }) => measureEntry(partition, document, payload));
  return encodeMeasured(encodeUtf8(record.origin), record.sequence, entries);
}

/**
 * A record read by its index: the head is checked at once (throws `MalformedRecord`), a body only when it is asked for. What `entry` gives
 * are views of `bytes`: keeping an update keeps the whole record alive.
 */
export class RecordReader {
  readonly origin: string;
  readonly sequence: number;
  /** How many entries. */
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #partitions: number[] = [];
  /** Where body i begins; one more for where the last ends. */
  readonly #offsets: number[] = [];

  constructor(bytes: Uint8Array) {
    const reader = new Reader(bytes, 0, bytes.byteLength, malformed);
    const version = reader.byte('format version');
    if (version !== formatVersion) throw malformed(`a record of format ${version}; this release reads ${formatVersion}`, 0);
    this.origin = reader.string('origin');
    this.sequence = reader.varUint('sequence');
    const count = reader.varUint('number of entries');
    // Two bytes of index an entry at least: a number that lies is caught before it costs memory.
    if (count * 2 > reader.left) throw malformed(`${count} entries announced in ${reader.left} bytes`, reader.at);
    let bodies = 0;
    for (let i = 0; i < count; i += 1) {
      this.#partitions.push(reader.varUint('partition'));
      this.#offsets.push(bodies);
      bodies += reader.varUint('length of an entry');
    }
    if (bodies !== reader.left) throw malformed(`the index announces ${bodies} bytes of entries, there are ${reader.left}`, reader.at);
    this.#offsets.push(bodies);
    for (let i = 0; i < this.#offsets.length; i += 1) this.#offsets[i]! += reader.at;
    this.#bytes = bytes;
    this.length = count;
  }

  /** @param index 0 to length - 1 */
  partition(index: number): number {
    const partition = this.#partitions[index];
    if (partition === undefined) throw new RangeError(`entry ${index} of ${this.length}`);
    return partition;
  }

  entry(index: number): RecordEntry {
    const partition = this.partition(index);
    const reader = new Reader(this.#bytes, this.#offsets[index]!, this.#offsets[index + 1]!, malformed);
    const document = reader.string('document');
    return { partition, document, payload: readPayload(reader) };
  }
}

function readPayload(reader: Reader): EntryPayload {
  const start = reader.at;
  const kind = reader.varUint('kind of entry');
  if (kind === kindUpdate) return { kind: 'update', update: reader.rest() };
  if (kind !== kindPiece) throw malformed(`an entry of unknown kind ${kind}`, start);
  const pieceId = reader.varUint('piece id');
  const index = reader.varUint('piece index');
  const count = reader.varUint('piece count');
  if (index >= count) throw malformed(`piece ${index} of ${count}`, start);
  return { kind: 'piece', pieceId, index, count, bytes: reader.rest() };
}

/** Visits, in order, the entries of the partitions `wants` says yes to. The others are not decoded. */
export function forEachEntry(record: RecordReader, wants: (partition: number) => boolean, visit: (entry: RecordEntry) => void): void {
  for (let i = 0; i < record.length; i += 1) if (wants(record.partition(i))) visit(record.entry(i));
}

export function decodeRecord(bytes: Uint8Array): WalRecord {
  const reader = new RecordReader(bytes);
  const entries: RecordEntry[] = [];
  forEachEntry(
    reader,
    () => true,
    (entry) => entries.push(entry),
  );
  return { origin: reader.origin, sequence: reader.sequence, entries };
}
