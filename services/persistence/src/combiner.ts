import type { Quarantined } from '@weft/store';
import { isEmptyUpdate, MalformedUpdate, scanUpdate } from '@weft/updates';
import {
  type DroppedPieces,
  type LogRecord,
  MalformedRecord,
  PieceAssembler,
  type PieceLimits,
  type RecordEntry,
  RecordReader,
} from '@weft/wal';

/** What a slice's records brought since the last `take`, a list of updates a document. */
export interface Batch {
  /** Where the floor may stand once this is in Postgres: below the first piece of any update that is not whole yet. */
  readonly floorPosition: number;
  /** Everything up to here was read; its whole updates are in this batch or an earlier one. */
  readonly readPosition: number;
  readonly documents: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly quarantined: readonly Quarantined[];
  readonly updates: number;
  readonly bytes: number;
  /** When the log took the oldest of these records, ms. */
  readonly oldestAtMs: number;
}

export interface CombinerOptions {
  readonly slice: number;
  /** The first record added is the one after it. */
  readonly floorPosition: number;
  readonly onDropped: (dropped: DroppedPieces) => void;
  readonly pieceLimits?: Partial<PieceLimits>;
}

const DOCUMENT_NAME_BYTES_MAX = 255;

/**
 * Records in, one list of checked updates a document out. Pure. What cannot be read is put aside for the quarantine and blocks nothing.
 * Updates are views of the records' bytes: what is held is the records themselves, once.
 */
export class Combiner {
  readonly #slice: number;
  readonly #assembler: PieceAssembler;
  #readPosition: number;
  #documents = new Map<string, Uint8Array[]>();
  #quarantined: Quarantined[] = [];
  #records = 0;
  #updates = 0;
  #bytes = 0;
  #oldestAtMs = 0;

  constructor({ slice, floorPosition, onDropped, pieceLimits }: CombinerOptions) {
    this.#slice = slice;
    this.#readPosition = floorPosition;
    this.#assembler = new PieceAssembler(onDropped, pieceLimits);
  }

  /** Records added since the last `take`. */
  get records(): number {
    return this.#records;
  }

  get updates(): number {
    return this.#updates;
  }

  /** Bytes a `take` would let go of. Unfinished pieces, which have a bound of their own, are not among them. */
  get bytes(): number {
    return this.#bytes;
  }

  get readPosition(): number {
    return this.#readPosition;
  }

  /** When the log took the oldest record held, ms. Meaningless while `records` is 0. */
  get oldestAtMs(): number {
    return this.#oldestAtMs;
  }

  add(record: LogRecord): void {
    // The port promises no gaps; taking one would lose what was in it once the floor has passed.
    if (record.position !== this.#readPosition + 1) throw new Error(`record ${record.position} came after ${this.#readPosition}`);
    if (this.#records === 0) this.#oldestAtMs = record.atMs;
    this.#records += 1;
    this.#readPosition = record.position;
    this.#assembler.expire(record.atMs);
    this.#read(record);
  }

  /** undefined when no record came since the last one. */
  take(): Batch | undefined {
    if (this.#records === 0) return undefined;
    const incomplete = this.#assembler.oldestIncompletePosition;
    const batch: Batch = {
      floorPosition: incomplete === undefined ? this.#readPosition : Math.min(this.#readPosition, incomplete - 1),
      readPosition: this.#readPosition,
      documents: this.#documents,
      quarantined: this.#quarantined,
      updates: this.#updates,
      bytes: this.#bytes,
      oldestAtMs: this.#oldestAtMs,
    };
    this.#documents = new Map();
    this.#quarantined = [];
    this.#records = 0;
    this.#updates = 0;
    this.#bytes = 0;
    return batch;
  }

  #read(record: LogRecord): void {
    let reader: RecordReader;
    try {
      reader = new RecordReader(record.bytes);
    } catch (error) {
      this.#quarantineMalformed(record, record.bytes, error);
      return;
    }
    for (let index = 0; index < reader.length; index += 1) {
      let entry: RecordEntry;
      try {
        entry = reader.entry(index);
      } catch (error) {
        this.#quarantineMalformed(record, record.bytes, error);
        continue;
      }
      this.#takeEntry(record, reader.origin, entry);
    }
  }

  #takeEntry({ position, atMs }: LogRecord, origin: string, { document, payload }: RecordEntry): void {
    switch (payload.kind) {
      case 'update':
        this.#takeUpdate(document, payload.update, position);
        return;
      case 'piece': {
        const update = this.#assembler.add({ origin, document, position, atMs }, payload);
        if (update !== undefined) this.#takeUpdate(document, update, position);
        return;
      }
      default:
        payload satisfies never;
    }
  }

  #takeUpdate(document: string, update: Uint8Array, position: number): void {
    const wrong = wrongName(document) ?? wrongUpdate(update);
    if (wrong !== undefined) {
      this.#quarantine({ slice: this.#slice, document, position, reason: wrong, bytes: update });
      return;
    }
    if (isEmptyUpdate(update)) return;
    const updates = this.#documents.get(document);
    if (updates === undefined) this.#documents.set(document, [update]);
    else updates.push(update);
    this.#updates += 1;
    this.#bytes += update.byteLength;
  }

  #quarantineMalformed({ position }: LogRecord, bytes: Uint8Array, error: unknown): void {
    if (!(error instanceof MalformedRecord)) throw error;
    this.#quarantine({ slice: this.#slice, document: '', position, reason: `the record is malformed: ${error.message}`, bytes });
  }

  #quarantine(one: Quarantined): void {
    this.#quarantined.push(one);
    this.#bytes += one.bytes.byteLength;
  }
}

function wrongName(document: string): string | undefined {
  const bytes = Buffer.byteLength(document);
  if (bytes < 1 || bytes > DOCUMENT_NAME_BYTES_MAX)
    return `a document's name of ${bytes} bytes; 1 to ${DOCUMENT_NAME_BYTES_MAX} are expected`;
  return document.includes('\0') ? 'a document name with U+0000 in it' : undefined;
}

function wrongUpdate(update: Uint8Array): string | undefined {
  try {
    scanUpdate(update);
    return undefined;
  } catch (error) {
    if (error instanceof MalformedUpdate) return `the update is malformed: ${error.message}`;
    throw error;
  }
}
