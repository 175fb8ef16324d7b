import { encodeMeasured, encodeUtf8, headerBytes, type MeasuredEntry, measureEntry } from './record-codec.ts';
import { varUintBytes } from './varint.ts';

/** An update waiting for the log. */
export interface PendingEntry {
  readonly partition: number;
  readonly document: string;
  /** One Yjs update (V1), of any size. */
  readonly update: Uint8Array;
}

export interface PackedRecord {
  readonly bytes: Uint8Array;
  readonly sequence: number;
  /** How many of the entries given, counted from the first, are wholly in the log once this record and those before it are. */
  readonly completes: number;
}

/** Entries a record holds at most: bounds what a reader does in one go. */
const entriesMax = 10_000;
/** A record has to hold its own head, a document's name and some of its update. */
export const recordBytesMin = 1024;

/**
 * Cuts what waits for one slice into records (SPEC.md, records and pieces). One for each origin and slice: it holds the numbers that grow.
 */
export class RecordPacker {
  readonly #origin: Uint8Array;
  #sequence = 0;
  #pieceId = 0;

  /** @param origin `<gateway id>/<incarnation>` */
  constructor(origin: string) {
    this.#origin = encodeUtf8(origin);
  }

  /**
   * Lazy: take the next record when the one before it is in the log. What was added to the end of `entries` meanwhile comes along; it ends when
   * nothing is left.
   * To begin a run of pieces again (rule P5), call it anew with the entries not yet completed: they get new piece ids.
   */
  *recordsFrom(entries: readonly PendingEntry[], recordBytesMax: number): Generator<PackedRecord, void, void> {
    if (recordBytesMax < recordBytesMin)
      throw new RangeError(`records of ${recordBytesMax} bytes are too small: at least ${recordBytesMin}`);
    const roomMax = recordBytesMax - headerBytes(this.#origin, Number.MAX_SAFE_INTEGER, entriesMax);
    let filling = new Filling(roomMax);
    let done = 0;
    for (;;) {
      for (; done < entries.length; done += 1) {
        const { partition, document, update } = entries[done]!;
        const whole = measureEntry(partition, document, { kind: 'update', update });
        if (whole.recordBytes <= roomMax) {
          if (!filling.fits(whole)) {
            yield this.#seal(filling, done);
            filling = new Filling(roomMax);
          }
          filling.put(whole);
        } else
          for (const piece of this.#piecesOf(partition, document, update, roomMax)) {
            if (!filling.fits(piece)) {
              yield this.#seal(filling, done);
              filling = new Filling(roomMax);
            }
            filling.put(piece);
          }
      }
      if (filling.entries.length === 0) return;
      yield this.#seal(filling, done);
      filling = new Filling(roomMax);
    }
  }

  #seal({ entries }: Filling, completes: number): PackedRecord {
    this.#sequence += 1;
    return { bytes: encodeMeasured(this.#origin, this.#sequence, entries), sequence: this.#sequence, completes };
  }

  *#piecesOf(partition: number, document: string, update: Uint8Array, roomMax: number): Generator<MeasuredEntry, void, void> {
    const pieceId = (this.#pieceId += 1);
    const empty = measureEntry(partition, document, { kind: 'piece', pieceId, index: 0, count: 0, bytes: new Uint8Array() });
    // index and count may take more bytes than a zero does, and so may the body's length.
    const pieceBytes = roomMax - empty.recordBytes - 3 * varUintBytes(update.byteLength);
    if (pieceBytes < 1) throw new RangeError(`a record has no room for a piece: the document's name takes ${empty.documentBytes} bytes`);
    const count = Math.ceil(update.byteLength / pieceBytes);
    for (let index = 0; index < count; index += 1) {
      const bytes = update.subarray(index * pieceBytes, (index + 1) * pieceBytes);
      yield measureEntry(partition, document, { kind: 'piece', pieceId, index, count, bytes });
    }
  }
}

/** The entries of the record that is next. */
class Filling {
  readonly entries: MeasuredEntry[] = [];
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  fits(entry: MeasuredEntry): boolean {
    return entry.recordBytes <= this.#room && this.entries.length < entriesMax;
  }

  put(entry: MeasuredEntry): void {
    this.entries.push(entry);
    this.#room -= entry.recordBytes;
  }
}
