import type { Result } from '@weft/loadgen';
import { expect, test } from 'vitest';
import { goalTable } from './goal-table.ts';
import type { Row } from './row.ts';

const result = (candidate: string, figures: Record<string, number>): Result => ({
  scenario: 'row',
  candidate,
  dialect: 'collab',
  startedAt: 0,
  seconds: 1,
  parameters: {},
  figures,
  latencies: {},
  series: [],
  troubles: [],
});

const row = (goal: Partial<Row['goals'][number]>): Row => ({
  name: 'row',
  scenario: 'typing',
  candidates: ['weft', 'peer'],
  goals: [{ what: 'cost', figure: 'cost', unit: 'us', bar: 20, goal: 10, better: 'lower', ...goal }],
});

const verdictOf = (goal: Partial<Row['goals'][number]>, ...results: Result[]): string => goalTable([row(goal)], results).split('\n')[1]!;

test('bar and goal, by the median of the rounds', () => {
  const ours = (...costs: number[]): Result[] => costs.map((cost) => result('weft', { cost }));
  expect(verdictOf({}, ...ours(9, 30, 10))).toMatch(/10 \(9 to 30\) us +20 +10 +goal/);
  expect(verdictOf({}, ...ours(15))).toMatch(/ bar$/);
  expect(verdictOf({}, ...ours(21))).toMatch(/ MISSED$/);
  expect(verdictOf({ better: 'higher', bar: 10, goal: 20 }, ...ours(21))).toMatch(/ goal$/);
  expect(verdictOf({})).toMatch(/not measured/);
});

test('over a peer: round by round', () => {
  const results = [result('weft', { cost: 30 }), result('peer', { cost: 10 }), result('weft', { cost: 30 }), result('peer', { cost: 15 })];
  expect(verdictOf({ over: 'peer', bar: 3, goal: 2, unit: 'x' }, ...results)).toMatch(/2\.5 \(2 to 3\) x +3 +2 +bar/);
});

test('on a machine half as fast bar and goal are twice as high', () => {
  const scale = { candidate: 'peer', figure: 'cost', was: 10 };
  const line = verdictOf({ scale }, result('weft', { cost: 19 }), result('peer', { cost: 20 }));
  expect(line).toMatch(/ 40 +20 +goal +peer 20$/);
  expect(verdictOf({ scale }, result('weft', { cost: 19 }))).toMatch(/ 20 +10 +bar$/);
});
