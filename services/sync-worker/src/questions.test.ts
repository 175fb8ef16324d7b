import type { Open } from '@weft/protocol';
import { describe, expect, test } from 'vitest';
import { AnswerSource } from './answer-source.ts';
import { type QuestionLimits, Questions } from './questions.ts';

const limits: QuestionLimits = {
  waitingMax: 3,
  waitMs: 1_000,
  waitingBytesMax: 10_000,
  transfersMax: 3,
  transfersBytesMax: 1_000,
  transferMs: 500,
};
const base = { gateway: { id: 'g', incarnation: '1' }, document: 'd', logIdentity: 'log', atLeast: 0 };
const open = (question: number): Open => ({
  ...base,
  kind: 'open',
  question,
  want: { kind: 'state-vector', stateVector: Uint8Array.of(0) },
  presence: [],
});
const contains = (question: number, bytes: number) => ({ ...base, kind: 'contains', question, update: new Uint8Array(bytes) }) as const;
const source = (bytes: number) => new AnswerSource([new Uint8Array(bytes)]);

describe('questions that wait', () => {
  test('are bounded in number, a slice', () => {
    const questions = new Questions(limits);
    expect([1, 2, 3, 4].map((id) => questions.wait(0, open(id), 0))).toEqual([true, true, true, false]);
    expect(questions.wait(1, open(5), 0)).toBe(true);
  });

  test('are bounded in the bytes they bear, over all slices, and give the room back when they are answered or late', () => {
    const questions = new Questions(limits);
    expect(questions.wait(0, contains(1, 4_000), 0)).toBe(true);
    expect(questions.wait(1, contains(2, 4_000), 0)).toBe(true);
    expect(questions.wait(2, contains(3, 4_000), 0)).toBe(false);
    questions.retry(0, 1, () => true);
    expect(questions.wait(2, contains(3, 4_000), 1)).toBe(true);
    expect(questions.retry(1, 1_000, () => false).map(({ question }) => question)).toEqual([2]);
    expect(questions.wait(1, contains(4, 4_000), 1_000)).toBe(true);
  });

  test('presence counts', () => {
    const questions = new Questions(limits);
    const present = { ...open(1), presence: [{ clientId: 1, clock: 1, json: 'x'.repeat(6_000) }] };
    expect(questions.wait(0, present, 0)).toBe(false);
  });
});

describe('answers that are fetched', () => {
  test('beyond their number the one fetched from longest ago goes', () => {
    const questions = new Questions(limits);
    for (const id of [1, 2, 3]) questions.keep(open(id), source(10), 0);
    questions.fetch(open(1), 1);
    questions.keep(open(4), source(10), 1);
    expect([1, 2, 3, 4].map((id) => questions.fetch(open(id), 1) !== undefined)).toEqual([true, false, true, true]);
  });

  test('beyond their bytes too; what several share counts once, and one alone may be larger', () => {
    const questions = new Questions(limits);
    const shared = source(900);
    for (const id of [1, 2, 3]) questions.keep(open(id), shared, 0);
    expect([1, 2, 3].every((id) => questions.fetch(open(id), 1) !== undefined)).toBe(true);
    questions.keep(open(4), source(5_000), 1);
    expect([1, 2, 3, 4].map((id) => questions.fetch(open(id), 1) !== undefined)).toEqual([false, false, false, true]);
  });

  test('nobody fetches from it: forgotten', () => {
    const questions = new Questions(limits);
    questions.keep(open(1), source(10), 0);
    questions.sweep(499);
    expect(questions.fetch(open(1), 499)).toBeDefined();
    questions.sweep(999);
    expect(questions.fetch(open(1), 999)).toBeUndefined();
  });
});
