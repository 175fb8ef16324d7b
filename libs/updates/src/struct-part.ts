import { ByteWriter } from './byte-writer.ts';
import { ANY, CONTENT_BITS, GC, HAS_ORIGIN, HAS_RIGHT_ORIGIN, JSON_VALUES, SKIP, STRING, UpdateReader } from './update-reader.ts';
import { characterStart, offsetAfterUnits, utf16Length } from './utf8.ts';

/** Part of a struct, encoded as a struct of its own. */
export interface StructPart {
  readonly clock: number;
  readonly bytes: Uint8Array;
}

const REPLACEMENT_CHARACTER = new Uint8Array([0xef, 0xbf, 0xbd]);

/**
 * Writes the struct just read from its `offset`-th clock on (0 < offset < length), as yjs' `Item.write(encoder, offset)`: its origin is
 * the clock before, its right origin stays. Inside a surrogate pair the lone half becomes U+FFFD, as there.
 */
export function writeStructFrom(writer: ByteWriter, reader: UpdateReader, offset: number): void {
  const { bytes, contentStart, pos: end } = reader;
  writeRightHead(writer, reader, offset);
  switch (reader.contentRef) {
    case STRING: {
      const text = new UpdateReader(bytes, contentStart);
      text.varUint();
      const cut = offsetAfterUnits(bytes, text.pos, offset);
      const from = cut >= 0 ? cut : offsetAfterUnits(bytes, text.pos, offset + 1);
      const replacement = cut >= 0 ? 0 : REPLACEMENT_CHARACTER.length;
      writer.varUint(end - from + replacement);
      if (replacement > 0) writer.copy(REPLACEMENT_CHARACTER);
      writer.copy(bytes, from, end);
      return;
    }
    case ANY:
    case JSON_VALUES: {
      const values = new UpdateReader(bytes, contentStart);
      const count = values.varUint();
      for (let i = 0; i < offset; i++) skipValue(values, reader.contentRef);
      writer.varUint(count - offset);
      writer.copy(bytes, values.pos, end);
      return;
    }
    default:
      // GC, Skip and deleted content are a length; everything else has length 1 and cannot be cut.
      writer.varUint(reader.length - offset);
  }
}

/** Whether the struct just read can be cut into parts that are smaller in bytes. */
export function isCuttable(reader: UpdateReader): boolean {
  const ref = reader.contentRef;
  return ref === STRING || ref === ANY || ref === JSON_VALUES;
}

/**
 * Cuts the struct just read into parts of about `bytesTarget`: text between characters (never inside a surrogate pair), lists between values.
 */
export function cutStruct(reader: UpdateReader, bytesTarget: number): StructPart[] {
  return reader.contentRef === STRING ? cutText(reader, bytesTarget) : cutValues(reader, bytesTarget);
}

function cutText(reader: UpdateReader, bytesTarget: number): StructPart[] {
  const { bytes, pos: end } = reader;
  const text = new UpdateReader(bytes, reader.contentStart);
  text.varUint();
  const parts: StructPart[] = [];
  let from = text.pos;
  let offset = 0;
  while (from < end) {
    let to = from + bytesTarget >= end ? end : characterStart(bytes, from, from + bytesTarget);
    // A target smaller than one character still has to move on.
    if (to === from) to = offsetAfterUnits(bytes, from, bytes[from]! >= 0xf0 ? 2 : 1);
    parts.push(part(reader, offset, to - from, from, to));
    offset += utf16Length(bytes, from, to);
    from = to;
  }
  return parts;
}

function cutValues(reader: UpdateReader, bytesTarget: number): StructPart[] {
  const values = new UpdateReader(reader.bytes, reader.contentStart);
  const count = values.varUint();
  const parts: StructPart[] = [];
  let from = values.pos;
  let offset = 0;
  for (let i = 1; i <= count; i++) {
    skipValue(values, reader.contentRef);
    if (values.pos - from < bytesTarget && i < count) continue;
    parts.push(part(reader, offset, i - offset, from, values.pos));
    from = values.pos;
    offset = i;
  }
  return parts;
}

function part(reader: UpdateReader, offset: number, count: number, from: number, to: number): StructPart {
  const writer = new ByteWriter(to - from + 64);
  if (offset === 0) writer.copy(reader.bytes, reader.start, reader.contentStart);
  else writeRightHead(writer, reader, offset);
  writer.varUint(count);
  writer.copy(reader.bytes, from, to);
  return { clock: reader.clock + offset, bytes: writer.take() };
}

function writeRightHead(writer: ByteWriter, reader: UpdateReader, offset: number): void {
  const ref = reader.info & CONTENT_BITS;
  if (ref === GC || ref === SKIP) {
    writer.byte(ref);
    return;
  }
  writer.byte(reader.info | HAS_ORIGIN);
  writer.varUint(reader.client);
  writer.varUint(reader.clock + offset - 1);
  if ((reader.info & HAS_RIGHT_ORIGIN) !== 0) writer.copy(reader.bytes, reader.rightStart, reader.rightEnd);
}

function skipValue(values: UpdateReader, ref: number): void {
  if (ref === ANY) values.any(0);
  else values.json(true);
}
