import { mergeUpdatesInTree, splitUpdate } from '@weft/updates';

/** An update of about this size is a good frame: a socket that is paced by frames never holds much more than it may. */
export const groupBytes = 256 * 1024;

/** What a paste or a flush brought in one piece, cut where it is large. It goes on from what came before it. */
export function cutUpdate(update: Uint8Array): Uint8Array[] {
  return update.byteLength > 2 * groupBytes ? splitUpdate(update, groupBytes, { continues: true }) : [update];
}

/**
 * Neighbours merged up to about 256 KiB each; a larger update stays alone. The order is kept, so a list that can be applied in order still can: the log's order is
 * causal, a document's pieces are cut so.
 */
export function groupUpdates(updates: readonly Uint8Array[]): Uint8Array[] {
  const groups: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let bytes = 0;
  const close = (): void => {
    if (group.length > 0) groups.push(mergeUpdatesInTree(group));
    group = [];
    bytes = 0;
  };
  for (const update of updates) {
    if (bytes + update.byteLength > groupBytes) close();
    group.push(update);
    bytes += update.byteLength;
  }
  close();
  return groups;
}
