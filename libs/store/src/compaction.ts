import { bytea, byteaArray, integer, keep } from './binary.ts';
import type { Database, Row, Transaction } from './database.ts';
import { writeQuarantine, type Quarantined } from './flush.ts';
import { EMPTY_SNAPSHOT } from './load-document.ts';
import { deleteConsumedRows, deletePiecesBefore, insertFirstSnapshot, insertPieces, replaceSnapshot } from './queries/replace-snapshot.ts';
import { COMPACTABLE_PART, selectCompactable } from './queries/select-compactable.ts';
import { selectLongTails, selectTailsOf } from './queries/select-tails.ts';
import type { Snapshot } from './store.ts';

/** How much of a document waits to be compacted. Bytes and ms. */
export interface TailSize {
  readonly document: string;
  readonly rows: number;
  readonly bytes: number;
  /** Since its oldest row was written, by the database's clock. */
  readonly ageMs: number;
  readonly snapshotBytes: number;
}

export interface Compactable {
  readonly documentId: number;
  readonly snapshot: Snapshot;
  /** Oldest first. */
  readonly tail: readonly TailRow[];
}

export interface TailRow {
  readonly id: number;
  readonly update: Uint8Array;
}

export interface Compacted {
  readonly documentId: number;
  /** The version it was made from. */
  readonly expectedVersion: number;
  /** The tail rows that are in it, or in `quarantined`. */
  readonly consumedRowIds: readonly number[];
  readonly snapshot: Omit<Snapshot, 'version'>;
  readonly quarantined: readonly Quarantined[];
}

/** One statement of pieces carries about this many bytes: what pg holds twice for a moment. */
const STATEMENT_BYTES = 4 << 20;

/** undefined: no such document. Memory: what it gives, and about one piece more. */
export async function loadForCompaction(
  database: Database,
  document: string,
  { tailBytesMax }: { tailBytesMax: number },
): Promise<Compactable | undefined> {
  let header: { documentId: number; snapshot: Omit<Snapshot, 'pieces'> } | undefined;
  const pieces: Uint8Array[] = [];
  const tail: TailRow[] = [];
  await database.copyOut(selectCompactable(document, tailBytesMax), ([part = null, n = null, id = null, a = null, b = null]) => {
    switch (integer(part)) {
      case COMPACTABLE_PART.header:
        header = {
          documentId: integer(id),
          snapshot: integer(n) === 0 ? EMPTY_SNAPSHOT : { version: integer(n), stateVector: keep(a), deletes: keep(b) },
        };
        break;
      case COMPACTABLE_PART.piece:
        pieces.push(keep(a));
        break;
      case COMPACTABLE_PART.tail:
        tail.push({ id: integer(n), update: keep(a) });
        break;
      default:
        throw new Error('selectCompactable gave a part it does not have');
    }
  });
  return header && { documentId: header.documentId, snapshot: { ...header.snapshot, pieces }, tail };
}

/** In one transaction: new snapshot in, old one and the consumed rows out. False: the version moved (another compaction was faster), nothing changed. */
export async function replaceWithSnapshot(database: Database, compacted: Compacted): Promise<boolean> {
  return database.transaction(async (transaction) => {
    if (!(await moveVersion(transaction, compacted))) return false;
    const { documentId, expectedVersion, consumedRowIds, snapshot, quarantined } = compacted;
    await writePieces(transaction, documentId, expectedVersion + 1, snapshot.pieces);
    await transaction.query(deletePiecesBefore, [documentId, expectedVersion + 1]);
    const deleted = await transaction.query(deleteConsumedRows, [documentId, consumedRowIds]);
    // Only a compaction deletes rows, and none can have run since expectedVersion.
    if (deleted.rowCount !== consumedRowIds.length)
      throw new Error(`${consumedRowIds.length} rows were compacted, ${deleted.rowCount} were there`);
    await writeQuarantine(transaction, quarantined);
    return true;
  });
}

async function moveVersion(transaction: Transaction, { documentId, expectedVersion, snapshot }: Compacted): Promise<boolean> {
  const bytesTotal = snapshot.pieces.reduce((sum, piece) => sum + piece.length, 0);
  const values = [documentId, bytea(snapshot.stateVector), bytea(snapshot.deletes), bytesTotal];
  const { rowCount } =
    expectedVersion === 0
      ? await transaction.query(insertFirstSnapshot, values)
      : await transaction.query(replaceSnapshot, [...values, expectedVersion]);
  return rowCount === 1;
}

async function writePieces(transaction: Transaction, documentId: number, version: number, pieces: readonly Uint8Array[]): Promise<void> {
  for (let from = 0; from < pieces.length;) {
    const to = endOfStatement(pieces, from);
    await transaction.query(insertPieces, [documentId, version, from, byteaArray(pieces.slice(from, to))]);
    from = to;
  }
}

function endOfStatement(pieces: readonly Uint8Array[], from: number): number {
  let bytes = 0;
  let to = from;
  while (to < pieces.length && (to === from || bytes + (pieces[to]?.length ?? 0) <= STATEMENT_BYTES)) bytes += pieces[to++]?.length ?? 0;
  return to;
}

/** Documents without a tail are not among the answers. */
export async function tailsOf(database: Database, documents: readonly string[]): Promise<readonly TailSize[]> {
  const { rows } = await database.query(selectTailsOf, [documents]);
  return rows.map(tailSize);
}

/** At most `limit`, the largest first. Walks all tails of the slice. */
export async function longTails(
  database: Database,
  slice: number,
  { rowsOver, bytesOver, limit }: { rowsOver: number; bytesOver: number; limit: number },
): Promise<readonly TailSize[]> {
  const { rows } = await database.query(selectLongTails, [slice, rowsOver, bytesOver, limit]);
  return rows.map(tailSize);
}

function tailSize(row: Row): TailSize {
  return {
    document: String(row['name']),
    rows: Number(row['rows']),
    bytes: Number(row['bytes']),
    ageMs: Number(row['age_ms']),
    snapshotBytes: Number(row['snapshot_bytes']),
  };
}
