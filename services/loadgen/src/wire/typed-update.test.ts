import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { ByteWriter } from './bytes.ts';
import { nowUs, STAMP_LENGTH } from './stamp.ts';
import { TEXT, walkUpdate, writeTypedUpdate } from './typed-update.ts';

const typed = (client: number, clock: number, stampUs: number, padding = 0): Uint8Array => {
  const writer = new ByteWriter();
  writeTypedUpdate(writer, { client, clock, stampUs, padding });
  return Uint8Array.from(writer.written);
};

const walked = (update: Uint8Array, editTicks = STAMP_LENGTH): unknown[] => {
  const found: unknown[] = [];
  walkUpdate(update, editTicks, (...one) => found.push(one));
  return found;
};

test('Yjs takes what is typed as text', () => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, typed(7, 0, nowUs(), 3));
  Y.applyUpdate(doc, typed(7, STAMP_LENGTH + 3, nowUs()));
  expect(doc.getText(TEXT).length).toBe(2 * STAMP_LENGTH + 3);
  expect(Y.getState(doc.store, 7)).toBe(2 * STAMP_LENGTH + 3);
});

test('what was typed is found, alone and merged', () => {
  const first = typed(7, 0, 1000);
  const second = typed(4_000_000_000, 90, 2000);
  expect(walked(first)).toEqual([[7, 0, STAMP_LENGTH, 1000]]);
  expect(walked(Y.mergeUpdates([first, typed(7, STAMP_LENGTH, 1500), second]))).toEqual([
    [4_000_000_000, 90, STAMP_LENGTH, 2000],
    [7, 0, STAMP_LENGTH, 1000],
    [7, STAMP_LENGTH, STAMP_LENGTH, 1500],
  ]);
});

test('insertions that a server joined are told one by one, also when it begins within one', () => {
  const doc = new Y.Doc();
  for (let i = 0; i < 3; i++) Y.applyUpdate(doc, typed(7, i * (STAMP_LENGTH + 2), 1000 + i, 2));
  const editTicks = STAMP_LENGTH + 2;
  expect(walked(Y.encodeStateAsUpdate(doc), editTicks)).toEqual([0, 1, 2].map((i) => [7, i * editTicks, editTicks, 1000 + i]));
  const from = Uint8Array.of(1, 7, 4);
  expect(walked(Y.diffUpdate(Y.encodeStateAsUpdate(doc), from), editTicks)).toEqual([
    [7, 4, editTicks - 4, undefined],
    [7, editTicks, editTicks, 1001],
    [7, 2 * editTicks, editTicks, 1002],
  ]);
});

test('other content is counted too, without stamps', () => {
  const doc = new Y.Doc();
  doc.getMap('m').set('a', 1);
  doc.getText(TEXT).insert(0, 'hello');
  doc.getText(TEXT).delete(1, 2);
  const ticks = walked(Y.encodeStateAsUpdate(doc)).reduce<number>((sum, one) => sum + (one as number[])[2]!, 0);
  expect(ticks).toBe(Y.getState(doc.store, doc.clientID));
});

test('bytes that are no update are an error', () => {
  expect(() => walkUpdate(Uint8Array.of(1, 200, 3), STAMP_LENGTH, () => undefined)).toThrow();
});
