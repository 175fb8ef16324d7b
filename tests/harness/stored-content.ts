import { setTimeout as sleep } from 'node:timers/promises';
import * as Y from 'yjs';
import type { Cluster } from './cluster.ts';
import { contentOf, stateVectorOf } from './random-edits.ts';

const lookEveryMs = 100;

/** The document as Postgres alone has it. */
export async function storedDocument(cluster: Cluster, document: string): Promise<Y.Doc> {
  const { snapshot, tail } = await cluster.withStore((store) => store.loadDocument(document, 0));
  const doc = new Y.Doc();
  for (const update of [...snapshot.pieces, ...tail]) Y.applyUpdate(doc, update);
  return doc;
}

/** Postgres has all of `doc`, to the last struct. It says nothing when it has flushed, so it is asked. */
export async function untilStored(cluster: Cluster, document: string, doc: Y.Doc, withinMs = 15_000): Promise<void> {
  const expected = seen(doc);
  let stored = '';
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(lookEveryMs)) {
    stored = seen(await storedDocument(cluster, document));
    if (stored === expected) return;
  }
  throw new Error(`within ${withinMs} ms Postgres did not get the document: ${stored.slice(0, 500)} instead of ${expected.slice(0, 500)}`);
}

function seen(doc: Y.Doc): string {
  const { text, map, array } = contentOf(doc);
  return JSON.stringify([stateVectorOf(doc), text, Object.entries(map as object).toSorted(([a], [b]) => (a < b ? -1 : 1)), array]);
}
