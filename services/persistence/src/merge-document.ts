import { EMPTY_UPDATE, mergeUpdatesInTree } from '@weft/updates';

/** One document's updates of a flush, merged. More than one row only where merging two halves fails. */
export interface Merged {
  readonly rows: readonly Uint8Array[];
  /** Updates that cannot be merged with anything although they passed the structural check. */
  readonly bad: readonly { readonly update: Uint8Array; readonly reason: string }[];
}

/** Never throws: an update that makes the merge throw is found by halving, and taken out. */
export function mergeDocument(updates: readonly Uint8Array[]): Merged {
  try {
    return { rows: [mergeUpdatesInTree(updates)], bad: [] };
  } catch {
    return mergeHalves(updates);
  }
}

function mergeHalves(updates: readonly Uint8Array[]): Merged {
  const [only] = updates;
  if (only === undefined) return { rows: [], bad: [] };
  if (updates.length === 1) return mergeAlone(only);
  const half = updates.length >> 1;
  const [left, right] = [mergeHalves(updates.slice(0, half)), mergeHalves(updates.slice(half))];
  return { rows: joined([...left.rows, ...right.rows]), bad: [...left.bad, ...right.bad] };
}

/** One update is merged with nothing: alone it would come back unread. */
function mergeAlone(update: Uint8Array): Merged {
  try {
    return { rows: [mergeUpdatesInTree([update, EMPTY_UPDATE])], bad: [] };
  } catch (error) {
    return { rows: [], bad: [{ update, reason: reasonOf(error) }] };
  }
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
