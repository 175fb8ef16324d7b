import * as Y from 'yjs';
import { type ByteWriter, Cursor } from './bytes.ts';
import { readStamp, STAMP_LENGTH, writeStamp } from './stamp.ts';

/** The shared text everybody types into. */
export const TEXT = 't';

const stringAfterOrigin = 0x84;
const stringAtStart = 0x04;

/**
 * The Yjs update (v1) of one insertion by `client`, at `clock`, right behind what it inserted before: the stamp, and `padding` more characters. Its length in clock ticks is
 * `STAMP_LENGTH + padding`. Format: yjs, UpdateEncoder and Item.write.
 */
export function writeTypedUpdate(
  writer: ByteWriter,
  { client, clock, stampUs, padding }: { client: number; clock: number; stampUs: number; padding: number },
): void {
  writer.uint(1).uint(1).uint(client).uint(clock);
  if (clock === 0) writer.byte(stringAtStart).byte(1).string(TEXT);
  else
    writer
      .byte(stringAfterOrigin)
      .uint(client)
      .uint(clock - 1);
  writeStamp(stampUs, stamp, 0);
  writer.uint(STAMP_LENGTH + padding).raw(stamp);
  if (padding > 0) writer.raw(paddingOf(padding));
  writer.uint(0);
}

const stamp = new Uint8Array(STAMP_LENGTH);
let padded = Buffer.alloc(0);

function paddingOf(characters: number): Uint8Array {
  if (padded.byteLength < characters) padded = Buffer.alloc(characters, 'weft loses no acknowledged edit. ');
  return padded.subarray(0, characters);
}

/** What an update brings: `length` clock ticks of `client` from `clock` on; `stampUs` where its text begins with a stamp. */
export type Brings = (client: number, clock: number, length: number, stampUs: number | undefined) => void;

/**
 * Walks an update without building anything. Servers may have joined insertions that follow one another: each of `editTicks` clock ticks is told by itself. Updates of other content than
 * typed text are left to Yjs. Throws what Yjs throws for bytes that are no update.
 */
export function walkUpdate(update: Uint8Array, editTicks: number, brings: Brings): void {
  const walked: number[] = [];
  if (
    walkTyped(new Cursor(update), editTicks, (client, clock, length, stampUs) => walked.push(client, clock, length, stampUs ?? Number.NaN))
  )
    for (let i = 0; i < walked.length; i += 4)
      brings(walked[i]!, walked[i + 1]!, walked[i + 2]!, Number.isNaN(walked[i + 3]!) ? undefined : walked[i + 3]);
  else
    for (const { id, length } of Y.decodeUpdate(update).structs.filter((struct) => !(struct instanceof Y.Skip)))
      brings(id.client, id.clock, length, undefined);
}

/** False: there is something else in it than typed text. Item.write in yjs: origins, or where neither is there the parent; then the content. */
function walkTyped(cursor: Cursor, editTicks: number, brings: Brings): boolean {
  for (let clients = cursor.uint(); clients > 0; clients--) {
    let structs = cursor.uint();
    const client = cursor.uint();
    let clock = cursor.uint();
    for (; structs > 0; structs--) {
      const info = cursor.byte();
      if ((info & contentBits) !== contentString) return false;
      if (info & hasLeft) skipId(cursor);
      if (info & hasRight) skipId(cursor);
      if ((info & (hasLeft | hasRight)) === 0) {
        // 1: the name of a shared type; 0: the id of an item.
        if (cursor.uint() === 1) cursor.skip(cursor.uint());
        else skipId(cursor);
        if (info & hasParentKey) cursor.skip(cursor.uint());
      }
      // ASCII throughout: as many clock ticks as bytes.
      const length = cursor.uint();
      for (const end = clock + length; clock < end;) {
        const next = Math.min(end, clock - (clock % editTicks) + editTicks);
        brings(client, clock, next - clock, clock % editTicks === 0 ? readStamp(cursor.bytes, cursor.at) : undefined);
        cursor.skip(next - clock);
        clock = next;
      }
    }
  }
  return true;
}

const contentBits = 31;
const contentString = 4;
const hasLeft = 0x80;
const hasRight = 0x40;
const hasParentKey = 0x20;

function skipId(cursor: Cursor): void {
  cursor.uint();
  cursor.uint();
}
