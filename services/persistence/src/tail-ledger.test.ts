import { expect, test } from 'vitest';
import { ATTEMPTS_MAX, GIVEN_UP_MS, TailLedger } from './tail-ledger.ts';

const limits = { tailBytes: 1_000, tailRows: 10, oldMs: 60_000, oldRows: 4 };
const learned = (change: object, nowMs = 0) => {
  const ledger = new TailLedger(limits);
  ledger.learn({ document: 'd', rows: 1, bytes: 1, ageMs: 0, snapshotBytes: 0, ...change }, nowMs);
  return ledger;
};

test.each([
  ['few rows', {}, []],
  ['rows at the limit', { rows: 10 }, []],
  ['rows over the limit', { rows: 11 }, ['d']],
  ['bytes over the limit', { bytes: 1_001 }, ['d']],
  ['bytes over the limit, but not over a quarter of the snapshot', { bytes: 1_001, snapshotBytes: 8_000 }, []],
  ['bytes over a quarter of the snapshot', { bytes: 2_001, snapshotBytes: 8_000 }, ['d']],
  ['old, with few rows', { ageMs: 100_000, rows: 4 }, []],
  ['old, with some rows', { ageMs: 100_000, rows: 5 }, ['d']],
])('[PE14] %s', (_, change, due) => expect(learned(change).due(0)).toEqual(due));

test('[PE14] what is flushed is counted; a document not known is asked about once', () => {
  const ledger = learned({});
  for (let i = 0; i < 10; i++) ledger.flushed('d', 1, 5);
  expect(ledger.due(0)).toEqual(['d']);
  ledger.flushed('new', 1, 5);
  ledger.flushed('new', 1, 5);
  expect(ledger.toLearn(10)).toEqual(['new']);
  expect(ledger.toLearn(10)).toEqual([]);
});

test('[PE14] a document that fails waits longer each time, is given up after some attempts, and then tried again', () => {
  const ledger = learned({ rows: 11 });
  let nowMs = 0;
  let lastWaitMs = 0;
  for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
    const { waitMs, givenUp } = ledger.failed('d', nowMs);
    expect(givenUp).toBe(false);
    expect(waitMs).toBeGreaterThan(lastWaitMs);
    expect(ledger.due(nowMs + waitMs - 1)).toEqual([]);
    nowMs += waitMs;
    lastWaitMs = waitMs;
    expect(ledger.due(nowMs)).toEqual(['d']);
  }
  expect(ledger.failed('d', nowMs)).toEqual({ waitMs: GIVEN_UP_MS, givenUp: true });
  expect(ledger.due(nowMs + GIVEN_UP_MS)).toEqual(['d']);
});

test('[PE14] those with most to gain first; a compacted one is forgotten', () => {
  const ledger = learned({ rows: 11, bytes: 20 });
  ledger.learn({ document: 'e', rows: 11, bytes: 30, ageMs: 0, snapshotBytes: 0 }, 0);
  expect(ledger.due(0)).toEqual(['e', 'd']);
  ledger.compacted('e', { rowsLeft: false });
  expect(ledger.due(0)).toEqual(['d']);
  expect(ledger.toLearn(9)).toEqual([]);
  ledger.compacted('d', { rowsLeft: true });
  expect(ledger.toLearn(9)).toEqual(['d']);
});

test('[PE4] it remembers a bounded number of documents', () => {
  const ledger = new TailLedger(limits);
  for (let i = 0; i < 120_000; i++) {
    ledger.flushed(`u${i}`, 1, 1);
    ledger.learn({ document: `k${i}`, rows: 1, bytes: 1, ageMs: 0, snapshotBytes: 0 }, 0);
  }
  expect(ledger.size).toBeLessThanOrEqual(100_000);
});
