import { integer, keep, text } from './binary.ts';
import type { Database } from './database.ts';
import { PART, selectDocument } from './queries/select-document.ts';
import type { Snapshot, StoredDocument, StoredFloor } from './store.ts';

/** lib0: a state vector of no clients. */
const NO_STATE_VECTOR = Uint8Array.of(0);
/** Yjs V1: no structs, no deletes. */
const EMPTY_UPDATE = Uint8Array.of(0, 0);

export const EMPTY_SNAPSHOT: Snapshot = { version: 0, pieces: [], stateVector: NO_STATE_VECTOR, deletes: EMPTY_UPDATE };

/** Memory: the document once, and about one piece more while it arrives. */
export async function loadDocument(database: Database, document: string, slice: number): Promise<StoredDocument> {
  let floor: StoredFloor | undefined;
  let header: Omit<Snapshot, 'pieces'> = EMPTY_SNAPSHOT;
  const pieces: Uint8Array[] = [];
  const tail: Uint8Array[] = [];
  await database.copyOut(selectDocument(document, slice), ([part = null, n = null, words = null, a = null, b = null]) => {
    switch (integer(part)) {
      case PART.floor:
        floor = { identity: text(words), position: integer(n) };
        break;
      case PART.header:
        header = { version: integer(n), stateVector: keep(a), deletes: keep(b) };
        break;
      case PART.piece:
        pieces.push(keep(a));
        break;
      case PART.tail:
        tail.push(keep(a));
        break;
      default:
        throw new Error('selectDocument gave a part it does not have');
    }
  });
  return { snapshot: { ...header, pieces }, tail, floor };
}
