import { expect, test } from 'vitest';
import { dueInMs, isFull, UPDATES_A_FLUSH_MAX } from './flush-window.ts';

const limits = { flushMs: 1_000, flushBytes: 100 };
const held = (records: number, bytes = 0, updates = records) => ({ records, bytes, updates });

test.each([
  ['nothing came', held(0), 500, undefined],
  ['the window is open', held(1), 500, 500],
  ['the window is over', held(1), 1_000, 0],
  ['the window is long over', held(1), 9_000, 0],
  ['the bytes are over their bound', held(1, 100), 1, 0],
  ['the updates are over their bound', held(1, 1, UPDATES_A_FLUSH_MAX), 1, 0],
])('[PE1] %s', (_, what, nowMs, expected) => expect(dueInMs(what, { openedAtMs: 0, nowMs }, limits)).toBe(expected));

test('[PE4] full is by bytes or by updates', () => {
  expect(isFull(held(5, 99), limits)).toBe(false);
  expect(isFull(held(5, 100), limits)).toBe(true);
  expect(isFull(held(5, 1, UPDATES_A_FLUSH_MAX), limits)).toBe(true);
});
