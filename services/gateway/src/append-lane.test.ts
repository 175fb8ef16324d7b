import { beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { AppendLane } from './append-lane.ts';
import type { Batch } from './append-queue.ts';
import type { GatewayDocument } from './document.ts';
import type { Member } from './member.ts';

let nowMs: number;
let timers: { atMs: number; run: () => void }[];
let ticks: (() => void)[];
let records: { atMs: number; edits: number; bytes: number }[];
let lane: AppendLane;

const document = { name: 'one', partition: 1 } as GatewayDocument;
const member = { frames: { syncStatus: () => undefined }, gone: false } as unknown as Member;

beforeEach(() => {
  nowMs = 1000;
  timers = [];
  ticks = [];
  records = [];
  lane = new AppendLane(
    { ackAfter: 'log', unacknowledgedBytesMax: 1e9 },
    {
      nowMs: () => nowMs,
      atEndOfTick: (run) => void ticks.push(run),
      after: (ms, run) => void timers.push({ atMs: nowMs + ms, run }),
      append: ({ entries }: Batch<unknown>) =>
        void records.push({ atMs: nowMs, edits: structs(entries[0]!.update), bytes: entries[0]!.update.byteLength }),
    },
  );
});

const structs = (update: Uint8Array): number => Y.decodeUpdate(update).structs.length;
let client = 1;
function edit(length = 1): void {
  const doc = new Y.Doc();
  doc.clientID = client++;
  doc.getText('t').insert(0, 'x'.repeat(length));
  lane.append(document, Y.encodeStateAsUpdate(doc), member, 0);
  for (const run of ticks.splice(0)) run();
}

function wait(ms: number): void {
  const until = nowMs + ms;
  for (;;) {
    const next = timers.filter(({ atMs }) => atMs <= until).toSorted((a, b) => a.atMs - b.atMs)[0];
    if (!next) break;
    timers.splice(timers.indexOf(next), 1);
    nowMs = next.atMs;
    next.run();
  }
  nowMs = until;
}

function answer(afterMs: number): void {
  wait(afterMs);
  lane.appended('log', records.length);
}

/** A house in which each answer takes so long. */
function settle(answerMs: number): void {
  for (let i = 0; i < 30; i++) {
    edit();
    answer(answerMs);
    wait(100);
  }
  records = [];
}

test('[GW23] at rest an edit leaves at the end of its tick', () => {
  settle(4);
  edit();
  expect(records).toEqual([{ atMs: nowMs, edits: 1, bytes: expect.any(Number) }]);
});

test('[GW23] what came meanwhile waits three times as long as the answer took, and goes as one record', () => {
  settle(4);
  edit();
  edit();
  answer(4);
  const answeredMs = nowMs;
  wait(2);
  edit();
  expect(records).toHaveLength(1);
  wait(12);
  expect(records).toHaveLength(2);
  expect(records[1]!.edits).toBe(2);
  expect(records[1]!.atMs - answeredMs).toBeGreaterThan(9);
  expect(records[1]!.atMs - answeredMs).toBeLessThanOrEqual(12);
});

test('[GW23] where answers are quick nothing waits', () => {
  settle(0.2);
  edit();
  edit();
  answer(0.2);
  expect(records).toHaveLength(2);
});

test('[GW23] an answer that took long, of a log that was away, makes nobody wait longer than 12 ms', () => {
  settle(4);
  for (let i = 0; i < 20; i++) {
    edit();
    answer(60_000);
    wait(100);
  }
  records = [];
  edit();
  edit();
  answer(60_000);
  wait(12);
  expect(records).toHaveLength(2);
});

test('[GW23] a full record does not wait', () => {
  settle(8);
  edit();
  edit(200_000);
  answer(8);
  expect(records).toHaveLength(2);
});

test('[GW1] one in flight, however much waits', () => {
  settle(4);
  edit();
  edit(200_000);
  wait(1000);
  edit();
  expect(records).toHaveLength(1);
});
