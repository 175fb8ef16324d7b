import type { Compactable, Compacted, TailSize } from './compaction.ts';
import type { Flush, FlushOutcome } from './flush.ts';
import type { DocumentReader, StoredFloor } from './store.ts';

/** Document state as persistence writes it: nobody else does (architecture.md, invariant 5). */
export interface DocumentStore extends DocumentReader {
  /** Rows and floor in one transaction. */
  commitFlush(flush: Flush): Promise<FlushOutcome>;
  /** A floor that is set, not reached. False: the stored one was not `expected`, nothing changed. */
  adoptFloor(slice: number, change: { expected: StoredFloor | undefined; floor: StoredFloor }): Promise<boolean>;
  /** Takes the lease or prolongs one's own. False: somebody else has it. `holder` must be new at each start of a process. */
  takeLease(slice: number, lease: { holder: string; leaseMs: number }): Promise<boolean>;
  releaseLease(slice: number, holder: string): Promise<void>;
  /** undefined: no such document. */
  loadForCompaction(document: string, limits: { tailBytesMax: number }): Promise<Compactable | undefined>;
  /** In one transaction: new snapshot in, old one and the consumed rows out. False: the version moved, nothing changed. */
  replaceWithSnapshot(compacted: Compacted): Promise<boolean>;
  /** Documents without a tail are not among the answers. */
  tailsOf(documents: readonly string[]): Promise<readonly TailSize[]>;
  /** At most `limit`, the largest first. */
  longTails(slice: number, limits: { rowsOver: number; bytesOver: number; limit: number }): Promise<readonly TailSize[]>;
}
