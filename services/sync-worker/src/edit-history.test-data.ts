import fc from 'fast-check';
import * as Y from 'yjs';

/** What several people typed into one document, as the updates their clients sent, in the order the log took them. */
export interface EditHistory {
  readonly updates: readonly Uint8Array[];
  /** The document after the first n updates, for n = 0 .. updates.length. */
  after(count: number): Y.Doc;
}

type Edit = { readonly who: number; readonly kind: 'insert' | 'delete' | 'map'; readonly at: number; readonly text: string };

const edit = fc.record<Edit>({
  who: fc.nat(2),
  kind: fc.constantFrom('insert', 'insert', 'delete', 'map'),
  at: fc.nat(1000),
  text: fc.string({ minLength: 1, maxLength: 5 }),
});

export const editHistory = (lengthMax = 200): fc.Arbitrary<EditHistory> =>
  fc.array(edit, { minLength: 1, maxLength: lengthMax }).map(historyOf);

function historyOf(edits: readonly Edit[]): EditHistory {
  const people = [0, 1, 2].map((who) => {
    const doc = new Y.Doc();
    doc.clientID = who + 1;
    return doc;
  });
  const updates: Uint8Array[] = [];
  for (const { who, kind, at, text } of edits) {
    const doc = people[who]!;
    const before = Y.encodeStateVector(doc);
    const content = doc.getText('text');
    let update: Uint8Array | undefined;
    doc.once('update', (made: Uint8Array) => {
      update = made;
    });
    if (kind === 'insert') content.insert(at % (content.length + 1), text);
    else if (kind === 'delete' && content.length > 0) content.delete(at % content.length, 1);
    else doc.getMap('map').set(text, at);
    if (!update) continue;
    updates.push(update);
    // The others hear of it now and then only, so that histories branch.
    if (at % 3 === 0) for (const other of people) if (other !== doc) Y.applyUpdate(other, Y.encodeStateAsUpdate(doc, before));
  }
  return {
    updates,
    after: (count) => docOf(updates.slice(0, count)),
  };
}

export function docOf(updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

export function contentOf(doc: Y.Doc): unknown {
  return { text: doc.getText('text').toString(), map: doc.getMap('map').toJSON(), pending: doc.store.pendingStructs !== null };
}
