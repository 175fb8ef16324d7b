import * as Y from 'yjs';

/** A client that types: each call gives the update of one more character. */
export function typist(clientID?: number): { readonly doc: Y.Doc; type(text?: string): Uint8Array } {
  const doc = new Y.Doc();
  if (clientID !== undefined) doc.clientID = clientID;
  const text = doc.getText('t');
  return {
    doc,
    type: (words = 'x') => {
      const before = Y.encodeStateVector(doc);
      text.insert(text.length, words);
      return Y.encodeStateAsUpdate(doc, before);
    },
  };
}
