import { deletesOf } from '@weft/updates';
import * as Y from 'yjs';

/**
 * Everything that is deleted in the document these updates make. More than their own delete sets say: of two values set for one key of a map at the same time, one
 * counts as deleted, by every client for itself, and nobody sends that. Needs a Y.Doc, so it is made off the main thread, and only when a client
 * claims deletes that no update brought.
 */
export function completeDeletes(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  const deletes = deletesOf([Y.encodeStateAsUpdate(doc)]);
  doc.destroy();
  return deletes;
}
