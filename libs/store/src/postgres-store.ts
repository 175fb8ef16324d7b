import * as compaction from './compaction.ts';
import type { Database } from './database.ts';
import * as flushing from './flush.ts';
import type { DocumentStore } from './document-store.ts';
import { loadDocument } from './load-document.ts';
import { releaseLease } from './queries/release-lease.ts';
import { selectSnapshotVersion } from './queries/select-snapshot-version.ts';
import { takeLease } from './queries/take-lease.ts';
import type { StoredDocument, StoredFloor } from './store.ts';

/**
 * Document state in PostgreSQL. Every call rejects with StoreUnavailable when Postgres is away; retries are the caller's.
 */
export class Store implements DocumentStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  loadDocument(document: string, slice: number): Promise<StoredDocument> {
    return loadDocument(this.#database, document, slice);
  }

  async snapshotVersion(document: string): Promise<number> {
    const { rows } = await this.#database.query(selectSnapshotVersion, [document]);
    return Number(rows[0]?.['version'] ?? 0);
  }

  floor(slice: number): Promise<StoredFloor | undefined> {
    return flushing.readFloor(this.#database, slice);
  }

  commitFlush(flush: flushing.Flush): Promise<flushing.FlushOutcome> {
    return flushing.commitFlush(this.#database, flush);
  }

  adoptFloor(slice: number, change: { expected: StoredFloor | undefined; floor: StoredFloor }): Promise<boolean> {
    return flushing.adoptFloor(this.#database, slice, change);
  }

  async takeLease(slice: number, { holder, leaseMs }: { holder: string; leaseMs: number }): Promise<boolean> {
    const { rowCount } = await this.#database.query(takeLease, [slice, holder, leaseMs]);
    return rowCount === 1;
  }

  async releaseLease(slice: number, holder: string): Promise<void> {
    await this.#database.query(releaseLease, [slice, holder]);
  }

  loadForCompaction(document: string, limits: { tailBytesMax: number }): Promise<compaction.Compactable | undefined> {
    return compaction.loadForCompaction(this.#database, document, limits);
  }

  replaceWithSnapshot(compacted: compaction.Compacted): Promise<boolean> {
    return compaction.replaceWithSnapshot(this.#database, compacted);
  }

  tailsOf(documents: readonly string[]): Promise<readonly compaction.TailSize[]> {
    return compaction.tailsOf(this.#database, documents);
  }

  longTails(slice: number, limits: { rowsOver: number; bytesOver: number; limit: number }): Promise<readonly compaction.TailSize[]> {
    return compaction.longTails(this.#database, slice, limits);
  }
}
