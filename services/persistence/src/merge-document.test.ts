import { mergeUpdatesInTree } from '@weft/updates';
import { expect, test } from 'vitest';
import { mergeDocument } from './merge-document.ts';
import { typist } from './typist.test-data.ts';

test('[PE1] updates of a document become one row', () => {
  const { type } = typist();
  const updates = Array.from({ length: 300 }, () => type());
  expect(mergeDocument(updates)).toEqual({ rows: [mergeUpdatesInTree(updates)], bad: [] });
});

test('[PE6] what cannot be merged is found among the others, which are merged', () => {
  const { type } = typist();
  const good = Array.from({ length: 20 }, () => type());
  const broken = Uint8Array.of(9, 9, 9);
  const { rows, bad } = mergeDocument(good.toSpliced(7, 0, broken).toSpliced(15, 0, broken));
  expect(rows).toEqual([mergeUpdatesInTree(good)]);
  expect(bad.map(({ update }) => update)).toEqual([broken, broken]);
});
