import * as Y from 'yjs';
import { EMPTY_UPDATE } from './scan-update.ts';

/** `Y.mergeUpdates` is quadratic in the number of updates: never give it more than this at once. */
const MERGE_AT_ONCE_MAX = 64;

export function mergeUpdatesInTree(updates: readonly Uint8Array[]): Uint8Array {
  let level: readonly Uint8Array[] = updates;
  if (level.length === 0) return EMPTY_UPDATE;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += MERGE_AT_ONCE_MAX) next.push(Y.mergeUpdates(level.slice(i, i + MERGE_AT_ONCE_MAX)));
    level = next;
  }
  return level[0]!;
}
