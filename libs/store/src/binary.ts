/**
 * Postgres' binary formats, for what pg would send and read as text. A bytea as text is hex: twice the bytes on the wire and in memory.
 * Sources: PostgreSQL's `array_recv` (arrayfuncs.c) and "COPY, Binary Format" in its manual.
 */

const BYTEA_OID = 17;
const ARRAY_HEADER_BYTES = 20;
const COPY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const COPY_HEADER_BYTES = COPY_SIGNATURE.length + 8;

/** A `bytea[]` as one binary parameter: pg sends a Buffer as binary, but would write an array of them as hex. */
export function byteaArray(items: readonly Uint8Array[]): Buffer {
  const bytesTotal = items.reduce((sum, item) => sum + 4 + item.length, ARRAY_HEADER_BYTES);
  const out = Buffer.allocUnsafe(items.length === 0 ? 12 : bytesTotal);
  out.writeInt32BE(items.length === 0 ? 0 : 1, 0);
  out.writeInt32BE(0, 4);
  out.writeInt32BE(BYTEA_OID, 8);
  if (items.length === 0) return out;
  out.writeInt32BE(items.length, 12);
  out.writeInt32BE(1, 16);
  let at = ARRAY_HEADER_BYTES;
  for (const item of items) {
    out.writeInt32BE(item.length, at);
    out.set(item, at + 4);
    at += 4 + item.length;
  }
  return out;
}

export function bytea(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A field of a COPY row: views into the message, valid until the next one. `null` is SQL's NULL. */
export type CopyField = Buffer | null;

/**
 * The rows in one CopyData message. The server sends one a row, but puts the stream's header before the first and a trailer (a field count of
 * -1) after the last, each in a message of its own or not: both are read.
 */
export function* copyRows(message: Buffer): Generator<readonly CopyField[]> {
  let at = message.subarray(0, COPY_SIGNATURE.length).equals(COPY_SIGNATURE) ? COPY_HEADER_BYTES : 0;
  while (at < message.length) {
    const count = message.readInt16BE(at);
    at += 2;
    if (count < 0) return;
    const fields: CopyField[] = [];
    for (let index = 0; index < count; index++) {
      const length = message.readInt32BE(at);
      at += 4;
      fields.push(length < 0 ? null : message.subarray(at, at + length));
      at += Math.max(length, 0);
    }
    yield fields;
  }
}

/** A copy on memory of its own: may be kept, and transferred to another thread. */
export function keep(field: CopyField): Uint8Array {
  if (field === null) throw new Error('a column that is never NULL was NULL');
  return new Uint8Array(field);
}

export function integer(field: CopyField): number {
  if (field === null) throw new Error('a column that is never NULL was NULL');
  switch (field.length) {
    case 2:
      return field.readInt16BE();
    case 4:
      return field.readInt32BE();
    default:
      return Number(field.readBigInt64BE());
  }
}

export function text(field: CopyField): string {
  if (field === null) throw new Error('a column that is never NULL was NULL');
  return field.toString('utf8');
}

/** Any text as an SQL expression. COPY takes no parameters; in hex nothing needs to be escaped. */
export function textLiteral(value: string): string {
  return `convert_from('\\x${Buffer.from(value, 'utf8').toString('hex')}'::bytea, 'UTF8')`;
}
