import * as Y from 'yjs';

/** The text that updates make together. Throws on one that Yjs cannot read. */
export function textOf(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc.getText('t').toString();
}
