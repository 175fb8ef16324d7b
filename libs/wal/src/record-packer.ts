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
    let filling: MeasuredEntry[] = [];
    let room = roomMax;
    const seal = (completes: number): PackedRecord => {
      const bytes = encodeMeasured(this.#origin, (this.#sequence += 1), filling);
      filling = [];
      room = roomMax;
      return { bytes, sequence: this.#sequence, completes };
    };
    const fits = (entry: MeasuredEntry): boolean => entry.recordBytes <= room && filling.length < entriesMax;
    const put = (entry: MeasuredEntry): void => {
      filling.push(entry);
      room -= entry.recordBytes;
    };

    let done = 0;
    for (;;) {
      for (; done < entries.length; done += 1) {
        const { partition, document, update } = entries[done]!;
        const name = encodeUtf8(document);
        const whole = measureEntry(partition, name, { kind: 'update', update });
        const parts = whole.recordBytes <= roomMax ? [whole] : this.#piecesOf(partition, name, update, roomMax);
        for (const part of parts) {
          if (!fits(part)) yield seal(done);
          put(part);
        }
      }
      if (filling.length === 0) return;
      yield seal(done);
    }
  }

  *#piecesOf(partition: number, document: Uint8Array, update: Uint8Array, roomMax: number): Generator<MeasuredEntry, void, void> {
    const pieceId = (this.#pieceId += 1);
    const empty = measureEntry(partition, document, { kind: 'piece', pieceId, index: 0, count: 0, bytes: new Uint8Array() });
    // index and count may take more bytes than a zero does, and so may the body's length.
    const pieceBytes = roomMax - empty.recordBytes - 3 * varUintBytes(update.byteLength);
    if (pieceBytes < 1) throw new RangeError(`a record has no room for a piece: the document's name takes ${document.byteLength} bytes`);
    const count = Math.ceil(update.byteLength / pieceBytes);
    for (let index = 0; index < count; index += 1) {
      const bytes = update.subarray(index * pieceBytes, (index + 1) * pieceBytes);
      yield measureEntry(partition, document, { kind: 'piece', pieceId, index, count, bytes });
    }
  }
}
