import { expect, test } from 'vitest';
import type { Result } from '../result.ts';
import { readResults, UnreadableResultError } from './read-results.ts';
import { sampleResult } from './sample.fixture.ts';

const good = sampleResult({ seconds: 3 });
const line = JSON.stringify(good);

test('reads what was written, empty lines aside', () => {
  expect(readResults(`${line}\n\n${line}\r\n`)).toEqual([good, good]);
  expect(readResults('')).toEqual([]);
});

test.each<[what: string, bad: string, message: string]>([
  [
    'what is not JSON',
    '{"scenario": "typ',
    'line 3: not JSON (it begins with {"scenario": "typ); expected one result of a load run a line',
  ],
  ['a list', '[]', 'line 3: the line is []; expected an object with scenario, candidate, dialect,'],
  ['no candidate', changed({ candidate: undefined }), 'line 3: candidate is missing; expected a word'],
  ['an unknown dialect', changed({ dialect: 'sse' }), 'line 3: dialect is "sse"; expected "collab", "yjs" or "fallback"'],
  [
    'a figure that is not finite',
    changed({ figures: { updates_per_second: Number.NaN } }),
    'line 3: figures.updates_per_second is null; expected a number',
  ],
  [
    'a latency without p99',
    changed({ latencies: { ack: { ...good.latencies['ack'], p99: undefined } } }),
    'line 3: latencies.ack.p99 is missing; expected a number from 0 on',
  ],
  [
    'a second without CPU',
    changed({ series: [good.series[0], { ...good.series[1], cpu: null }] }),
    'line 3: series[1].cpu is null; expected an object by name',
  ],
  ['a bad optional', changed({ series: [{ ...good.series[0], p99: '3' }] }), 'line 3: series[0].p99 is "3"; expected a number from 0 on'],
  ['troubles in a string', changed({ troubles: 'all well' }), 'line 3: troubles is "all well"; expected an array'],
])('names the line and what is wrong with it: %s', (_, bad, message) => {
  const read = (): Result[] => readResults(`${line}\n\n${bad}\n${line}`);
  expect(read).toThrow(UnreadableResultError);
  expect(read).toThrow(message);
});

function changed(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...good, ...fields });
}
