import { mergeUpdatesInTree } from '@weft/updates';

/** One document's updates of a flush, merged. More than one row only where merging two halves fails. */
export interface Merged {
  readonly rows: readonly Uint8Array[];
  /** Updates that cannot be merged with anything although they passed the structural check. */
  readonly bad: readonly { readonly update: Uint8Array; readonly reason: string }[];
}

/** Never throws: an update that makes Yjs throw is found by halving, and taken out. */
export function mergeDocument(updates: readonly Uint8Array[]): Merged {
  try {
    return { rows: [mergeUpdatesInTree(updates)], bad: [] };
  } catch (error) {
    const [only] = updates;
    if (updates.length === 1 && only !== undefined) return { rows: [], bad: [{ update: only, reason: reasonOf(error) }] };
  }
  const half = updates.length >> 1;
  const [left, right] = [mergeDocument(updates.slice(0, half)), mergeDocument(updates.slice(half))];
  return { rows: joined([...left.rows, ...right.rows]), bad: [...left.bad, ...right.bad] };
}

/** The halves are good on their own; if they are not together, they stay apart. */
function joined(rows: readonly Uint8Array[]): readonly Uint8Array[] {
  if (rows.length < 2) return rows;
  try {
    return [mergeUpdatesInTree(rows)];
  } catch {
    // Not a failure: rows of their own are as good to a reader, and compaction finds out which is wrong.
    return rows;
  }
}

function reasonOf(error: unknown): string {
  return `the update cannot be merged: ${error instanceof Error ? error.message : String(error)}`;
}
