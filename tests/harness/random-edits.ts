import * as Y from 'yjs';
import type { Random } from './random.ts';

export const sharedTypes = ['text', 'map', 'array'] as const;
type SharedType = (typeof sharedTypes)[number];

/** Where lists are at least this long, deletes are as likely as inserts: documents stay of a size one can look at. */
const settledLength = 300;

/** One random edit of one shared type: exactly one Yjs update. Every value tells who wrote it (`mark`). */
export function editAtRandom(doc: Y.Doc, type: SharedType, random: Random, mark: string): void {
  switch (type) {
    case 'text':
      return editText(doc.getText('text'), random, mark);
    case 'map':
      return editMap(doc.getMap('map'), random, mark);
    case 'array':
      return editArray(doc.getArray('array'), random, mark);
  }
}

function editText(text: Y.Text, random: Random, mark: string): void {
  const deletes = text.length > 0 && random.int(10) < (text.length < settledLength ? 2 : 5);
  if (!deletes) return text.insert(random.int(text.length + 1), mark.slice(0, 1 + random.int(mark.length)));
  const at = random.int(text.length);
  text.delete(at, 1 + random.int(Math.min(8, text.length - at)));
}

function editMap(map: Y.Map<unknown>, random: Random, mark: string): void {
  const key = `key-${random.int(50)}`;
  if (map.has(key) && random.int(10) < 3) map.delete(key);
  else map.set(key, { by: mark, value: random.int(1_000_000) });
}

function editArray(array: Y.Array<unknown>, random: Random, mark: string): void {
  const deletes = array.length > 0 && random.int(10) < (array.length < settledLength ? 2 : 5);
  if (deletes) array.delete(random.int(array.length), 1);
  else array.insert(random.int(array.length + 1), [`${mark}-${random.int(1_000_000)}`]);
}

/** Everything in the document that a person could see. Equal contents and equal state vectors are equal documents. */
export function contentOf(doc: Y.Doc): { text: string; map: unknown; array: unknown } {
  return { text: doc.getText('text').toJSON(), map: doc.getMap('map').toJSON(), array: doc.getArray('array').toJSON() };
}

export function stateVectorOf(doc: Y.Doc): string {
  return Buffer.from(Y.encodeStateVector(doc)).toString('hex');
}
