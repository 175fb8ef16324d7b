/**
 * The Store port to PostgreSQL: document state, and which part of the log is in it. Only persistence writes (architecture.md, invariant 5);
 * workers read. There is one SQL: the laptop's Postgres and the cluster's run the same queries, so the port has one side.
 * Every call rejects with `StoreUnavailable` when Postgres is away; retries are the caller's.
 */
export interface DocumentReader {
  /**
   * The document as one consistent read (one snapshot of the database): everything of it at positions <= `floor` of its slice is in
   * `snapshot` + `tail`. A document nobody wrote has an empty snapshot and tail: that is a fact, not an error.
   */
  loadDocument(document: string, slice: number): Promise<StoredDocument>;
  /** 0 for none yet; grows with every compaction. Cheap. */
  snapshotVersion(document: string): Promise<number>;
  floor(slice: number): Promise<StoredFloor | undefined>;
}

export interface StoredDocument {
  readonly snapshot: Snapshot;
  /** Updates not yet compacted, oldest first, each merged from one flush. */
  readonly tail: readonly Uint8Array[];
  /** undefined: nothing of this slice was ever flushed. */
  readonly floor: StoredFloor | undefined;
}

/**
 * A compacted document as an ordered list of self-contained Yjs updates (V1), each of about 256 KiB, cut so that applying them in order never leaves
 * a struct waiting for a later piece (`splitUpdate` of @weft/updates). A reader streams them; nobody needs the whole in one buffer.
 */
export interface Snapshot {
  readonly version: number;
  readonly pieces: readonly Uint8Array[];
  /** Yjs state vector (V1 encoding) of all pieces together. */
  readonly stateVector: Uint8Array;
  /** A Yjs update (V1) with no structs and the snapshot's whole delete set. */
  readonly deletes: Uint8Array;
}

export interface StoredFloor {
  readonly identity: string;
  readonly position: number;
}

export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
