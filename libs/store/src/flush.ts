import { bytea, byteaArray } from './binary.ts';
import type { Database, Transaction } from './database.ts';
import { insertFirstFloor, replaceFloor } from './queries/adopt-floor.ts';
import { insertDocuments } from './queries/insert-documents.ts';
import { insertQuarantine } from './queries/insert-quarantine.ts';
import { insertUpdates } from './queries/insert-updates.ts';
import { moveFloor } from './queries/move-floor.ts';
import { selectFloor } from './queries/select-floor.ts';
import type { StoredFloor } from './store.ts';

/** What the log brought between two positions, combined. */
export interface Flush {
  readonly slice: number;
  /** The log the positions are of. */
  readonly identity: string;
  /** The floor this builds on: the stored one must be exactly this. */
  readonly fromPosition: number;
  readonly toPosition: number;
  /** In order. A document may come more than once. */
  readonly documents: readonly DocumentUpdate[];
  readonly quarantined: readonly Quarantined[];
}

export interface DocumentUpdate {
  readonly name: string;
  readonly update: Uint8Array;
}

/** An update that was taken out of a document's way, kept for a person to look at. */
export interface Quarantined {
  readonly slice: number;
  readonly document: string;
  /** In the log; 0: not known any more. */
  readonly position: number;
  readonly reason: string;
  readonly bytes: Uint8Array;
}

export type FlushOutcome =
  | { readonly committed: true }
  /** Nothing was written. `floor` is the one that is stored: somebody else moved it, or this very flush did and its answer was lost. */
  | { readonly committed: false; readonly floor: StoredFloor | undefined };

/** Rows and floor in one transaction. Two readers of a slice at once lose and double nothing: only one finds the floor it expects. */
export async function commitFlush(database: Database, flush: Flush): Promise<FlushOutcome> {
  return database.transaction(async (transaction) => {
    const { slice, identity, fromPosition, toPosition } = flush;
    const moved = await transaction.query(moveFloor, [slice, identity, fromPosition, toPosition]);
    if (moved.rowCount !== 1) return { committed: false, floor: await readFloor(transaction, slice) };
    await writeUpdates(transaction, flush);
    await writeQuarantine(transaction, flush.quarantined);
    return { committed: true };
  });
}

async function writeUpdates(transaction: Transaction, { slice, toPosition, documents }: Flush): Promise<void> {
  if (documents.length === 0) return;
  const names = documents.map(({ name }) => name);
  await transaction.query(insertDocuments, [names, slice]);
  const updates = byteaArray(documents.map(({ update }) => update));
  const written = await transaction.query(insertUpdates, [names, updates, toPosition]);
  // A row that found no document would be an edit lost while the floor says it is kept.
  if (written.rowCount !== documents.length) throw new Error(`${documents.length} updates made ${written.rowCount} rows`);
}

export async function writeQuarantine(transaction: Transaction, quarantined: readonly Quarantined[]): Promise<void> {
  if (quarantined.length === 0) return;
  await transaction.query(insertQuarantine, [
    quarantined.map(({ slice }) => slice),
    // Postgres' text holds no NUL; a name with one is among the reasons to be here.
    quarantined.map(({ document }) => document.replaceAll('\0', '\u{fffd}')),
    quarantined.map(({ position }) => position),
    quarantined.map(({ reason }) => reason.replaceAll('\0', '\u{fffd}')),
    byteaArray(quarantined.map(({ bytes }) => bytea(bytes))),
  ]);
}

export async function readFloor(transaction: Transaction, slice: number): Promise<StoredFloor | undefined> {
  const { rows } = await transaction.query(selectFloor, [slice]);
  return rows[0] && { identity: String(rows[0]['identity']), position: Number(rows[0]['position']) };
}

/** A floor that is set, not reached: the first of a slice, or for another log. `expected` is the stored one. False: it was not, and nothing changed. */
export async function adoptFloor(
  database: Database,
  slice: number,
  { expected, floor }: { expected: StoredFloor | undefined; floor: StoredFloor },
): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const { rowCount } =
      expected === undefined
        ? await transaction.query(insertFirstFloor, [slice, floor.identity, floor.position])
        : await transaction.query(replaceFloor, [slice, floor.identity, floor.position, expected.identity, expected.position]);
    return rowCount === 1;
  });
}
