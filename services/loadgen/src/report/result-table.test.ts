import { expect, test } from 'vitest';
import type { Result } from '../result.ts';
import { resultTable } from './result-table.ts';
import { sampleResult } from './sample.fixture.ts';
import { textTable } from './text-table.ts';

function run(candidate: string, round: number, figures: Readonly<Record<string, number>>, more: Partial<Result> = {}): Result {
  return { ...sampleResult({ candidate, round, seconds: 1 }), figures, latencies: {}, parameters: { documents: 100 }, ...more };
}

test('columns are as wide as their widest cell, and nothing hangs over', () => {
  expect(
    textTable(
      [
        ['a', '1', ''],
        ['long', '1,000', ''],
        ['µ', '', ''],
      ],
      ['left', 'right', 'left'],
    ),
  ).toEqual(['a         1', 'long  1,000', 'µ']);
});

test('medians, spreads and ratios of rounds stand below each other, the reference first', () => {
  const results = [0, 1, 2].flatMap((round) => [
    run('weft', round, { cpu_us_per_update: [60, 50, 70][round] ?? 0, not_delivered: 0 }),
    run('raw', round, { cpu_us_per_update: [30, 25, 35][round] ?? 0, not_delivered: 0 }),
  ]);
  expect(resultTable(results, { reference: 'raw' })).toBe(
    `${[
      'typing: documents 100',
      '--------------------------------------------------------------',
      '                    │  raw  3 rounds  │  weft  3 rounds',
      'CPU per update  µs  │   30  (25–35)   │    60  (50–70)   ×2.00',
      'not delivered       │    0            │     0',
      '',
      'Nothing undelivered, in 6 runs.',
    ].join('\n')}\n`,
  );
});

test('a candidate that was not measured for a figure has a dash', () => {
  const table = resultTable([run('raw', 0, { stall_ms: 3 }), run('weft', 0, {})]);
  expect(table).toContain('stall  ms  │    3  │     –');
});

test('one round that lost something is not hidden by two that did not', () => {
  const results = [0, 1, 2].map((round) =>
    run('weft', round, { not_delivered: round === 1 ? 14 : 0 }, round === 1 ? { troubles: ['Two were closed.'] } : {}),
  );
  const table = resultTable(results);
  expect(table).toContain('not delivered  │    14  (0–14)');
  expect(table).toContain('! typing, weft, round 2: Two were closed.');
  expect(table).toContain('14 not delivered, in 1 of 3 runs (typing, weft, round 2).');
});

test('what nobody counted is not called delivered', () => {
  expect(resultTable([run('weft', 0, { not_delivered: 0 }), run('raw', 0, {})])).toContain('only 1 of 2 runs counted it');
  expect(resultTable([])).toContain('There are no results.');
});

test('parameters in which candidates differ name them', () => {
  const table = resultTable([
    run('weft', 0, {}, { parameters: { documents: 100, rate: 1500 } }),
    run('raw', 0, {}, { parameters: { documents: 100, rate: 9000 } }),
  ]);
  expect(table).toContain('typing: documents 100; rate 1,500 (weft) 9,000 (raw)');
});

test('a candidate measured with two sets of parameters was measured twice, not in two rounds', () => {
  const results = [1000, 1500].flatMap((readers, at) =>
    ['weft', 'raw'].map((name) =>
      run(
        name,
        at,
        { p99_ms: readers / 100 },
        { scenario: 'room', parameters: { readers, rate: 50 }, troubles: readers === 1500 ? ['Slow.'] : [] },
      ),
    ),
  );
  const table = resultTable(results, { reference: 'raw' });
  expect(table).toContain('room, readers 1,000: readers 1,000; rate 50\n');
  expect(table).toContain('room, readers 1,500: readers 1,500; rate 50\n');
  expect(table).not.toContain('2 rounds');
  expect(table).toContain('! room, readers 1,500, weft: Slow.');
});

test('what each process has in a figure stands below it', () => {
  const figures = { cpu_us_per_update: 40, lost: 0, cpu_us_per_update_nats: 10, 'cpu_us_per_update_gateway-1': 30 };
  const lines = resultTable([run('weft', 0, figures)])
    .split('\n')
    .slice(3, 7);
  expect(lines.map((line) => line.split('│')[0]?.trimEnd())).toEqual([
    'CPU per update  µs',
    '  gateway-1     µs',
    '  nats          µs',
    'lost',
  ]);
});
