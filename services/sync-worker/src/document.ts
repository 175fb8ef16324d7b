import type { StoredDocument } from '@weft/store';
import { coversRanges, decodeStateVector, DeleteSet, diffUpdate, scanUpdate, type UpdateScan } from '@weft/updates';
import { DocumentVector } from './document-vector.ts';
import { cutUpdate, groupUpdates } from './group-updates.ts';
import type { Tail } from './tail.ts';

/** Answers kept for state vectors that clients ask with again and again (a reconnect storm). */
const diffsCachedMax = 8;

/**
 * One open document without a Y.Doc: what the store has, as pieces, and the tail from the log. Reading it costs no CRDT work but for clients that are neither
 * empty nor past the snapshot.
 */
export class OpenDocument {
  readonly snapshotVersion: number;
  /** Of what the store gave: the snapshot and its rows. */
  readonly snapshotBytes: number;
  /** What the log brought and this worker still holds; parts of it may be in the store's pieces too. */
  readonly tail: Tail;
  /** The position up to which the store had everything. */
  readonly #storedThrough: number;
  /** The tail has everything after this position. */
  #base: number;
  readonly #pieces: readonly Uint8Array[];
  /** The store's rows since the snapshot. */
  readonly #rows: readonly Uint8Array[];
  readonly #snapshotDeletes: Uint8Array;
  /** Deletes of the snapshot, or later ones that `completeDeletes` found. */
  #knownDeletes: Uint8Array;
  /** The change count `completeDeletes` was last done for. */
  #completeAt = -1;
  readonly #vector: DocumentVector;
  #pieceScans: readonly UpdateScan[] | undefined;
  /** Counts changes: caches are good for one count. */
  #changes = 0;
  #merged: { changes: number; updates: readonly Uint8Array[] } | undefined;
  #deletes: { changes: number; set: DeleteSet } | undefined;
  readonly #diffs = new Map<string, { changes: number; updates: readonly Uint8Array[] }>();

  /**
   * @param log the log `tail` is from (a floor of another log says nothing about it), and the position after which the tail has everything
   */
  constructor(stored: StoredDocument, tail: Tail, log: { readonly identity: string; readonly base: number }) {
    this.#base = log.base;
    this.#storedThrough = stored.floor?.identity === log.identity ? stored.floor.position : 0;
    this.snapshotVersion = stored.snapshot.version;
    this.tail = tail;
    this.#pieces = stored.snapshot.pieces;
    this.#rows = groupUpdates(stored.tail.flatMap(cutUpdate));
    this.snapshotBytes = bytesOf(this.#pieces) + bytesOf(this.#rows);
    this.#snapshotDeletes = stored.snapshot.deletes;
    this.#knownDeletes = stored.snapshot.deletes;
    this.#vector = new DocumentVector(stored.snapshot.stateVector);
    for (const update of [...this.#rows, ...tail.since(this.#storedThrough)]) this.#vector.add(scanUpdate(update));
  }

  get base(): number {
    return this.#base;
  }

  /** Bytes held, without caches. */
  get bytes(): number {
    return this.snapshotBytes + this.tail.bytes;
  }

  push(position: number, update: Uint8Array, scan: UpdateScan): void {
    this.tail.push(position, update);
    this.#vector.add(scan);
    this.#changes++;
  }

  /** Forgets of the tail what is at positions <= `position` and in the store's pieces. */
  trim(position: number): void {
    const through = Math.min(position, this.#storedThrough);
    this.tail.dropThrough(through);
    this.#base = Math.max(this.#base, through);
  }

  stateVector(): Uint8Array {
    return this.#vector.encode();
  }

  /** Updates that bring a client with this state vector up to date, to be applied in this order; none if it is. Throws MalformedStateVector. */
  forStateVector(stateVector: Uint8Array): readonly Uint8Array[] {
    const has = decodeStateVector(stateVector);
    if (has.size === 0) return [...this.#pieces, ...this.#sinceSnapshot()];
    const key = Buffer.from(stateVector).toString('latin1');
    const known = this.#diffs.get(key);
    if (known?.changes === this.#changes) return known.updates;
    const updates = [...this.#snapshotFor(has, stateVector), ...lackedBy(has, stateVector, this.#sinceSnapshot(), undefined)];
    this.#diffs.delete(key);
    this.#diffs.set(key, { changes: this.#changes, updates });
    if (this.#diffs.size > diffsCachedMax) this.#diffs.delete(this.#diffs.keys().next().value!);
    return updates;
  }

  /** Everything the log brought after `position`, merged; undefined where the tail does not reach back so far. */
  since(position: number): readonly Uint8Array[] | undefined {
    if (position < this.#base) return undefined;
    return groupUpdates(this.tail.since(position));
  }

  /**
   * Whether every struct and every delete of `update` is there already. `unknown`: it claims deletes that no update brought; only a Y.Doc can tell whether they follow from
   * the document (see completeDeletes), and the last one that did is older than this document. Throws MalformedUpdate.
   */
  contains(update: Uint8Array): boolean | 'unknown' {
    const scan = scanUpdate(update);
    if (!this.#vector.covers(scan)) return false;
    if (!scan.deletes || this.#deleteSet().contains(DeleteSet.ofUpdate(update))) return true;
    return this.#completeAt === this.#changes ? false : 'unknown';
  }

  /** What `completeDeletes` needs, and the state it stands for. */
  everything(): { changes: number; updates: readonly Uint8Array[] } {
    return { changes: this.#changes, updates: [...this.#pieces, ...this.#sinceSnapshot()] };
  }

  /** Its answer. What was deleted then is deleted for good. undefined: it failed; what it was asked for counts as new, which is never wrong to send on. */
  deletesKnown(changes: number, deletes: Uint8Array | undefined): void {
    this.#completeAt = changes;
    if (deletes) this.#knownDeletes = deletes;
    this.#deletes = undefined;
  }

  /** A client past the snapshot needs only its deletes; one in between gets the pieces it lacks, cut to what it lacks. */
  #snapshotFor(has: Map<number, number>, stateVector: Uint8Array): Uint8Array[] {
    if (this.#pieces.length === 0) return [];
    this.#pieceScans ??= this.#pieces.map(scanUpdate);
    // Not by the snapshot's state vector: that ends where something is missing, and the snapshot may hold what waits for it.
    if (this.#pieceScans.every((scan) => coversRanges(has, scan))) return [this.#snapshotDeletes];
    return lackedBy(has, stateVector, this.#pieces, this.#pieceScans);
  }

  #sinceSnapshot(): readonly Uint8Array[] {
    if (this.#merged?.changes === this.#changes) return this.#merged.updates;
    const updates = groupUpdates([...this.#rows, ...this.tail.since(this.#storedThrough)]);
    this.#merged = { changes: this.#changes, updates };
    return updates;
  }

  #deleteSet(): DeleteSet {
    if (this.#deletes?.changes === this.#changes) return this.#deletes.set;
    const set = DeleteSet.ofUpdate(this.#knownDeletes);
    for (const update of this.#sinceSnapshot()) set.add(update);
    this.#deletes = { changes: this.#changes, set };
    return set;
  }
}

function bytesOf(updates: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const update of updates) bytes += update.byteLength;
  return bytes;
}

/** The updates, cut to what a client with `has` lacks; those it has altogether are left out. */
function lackedBy(
  has: ReadonlyMap<number, number>,
  stateVector: Uint8Array,
  updates: readonly Uint8Array[],
  scans: readonly UpdateScan[] | undefined,
): Uint8Array[] {
  return updates
    .filter((update, i) => {
      const scan = scans?.[i] ?? scanUpdate(update);
      return scan.deletes || !coversRanges(has, scan);
    })
    .map((update) => diffUpdate(update, stateVector));
}
