import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bugs } from './bugs.ts';
import { describeTotals, runMany, type SeedResult, totalsOf } from './run-many.ts';
import { runSeed } from './run-seed.ts';

const failed = (results: readonly SeedResult[]): string[] =>
  results
    .filter(({ violations }) => violations.length > 0)
    .map(({ seed, violations }) => `npm run sim -- --seed ${seed}: ${violations[0]}`);

test('300 seeds of faults: nothing acknowledged is lost, and everybody ends equal', { timeout: 600_000 }, async () => {
  const results = await runMany({ from: 1, seeds: 300 });
  process.stderr.write(`${describeTotals(totalsOf(results))}\n`);
  expect(failed(results)).toEqual([]);
  expect(results).toHaveLength(300);
});

test('the same seed gives the same run, step for step', { timeout: 60_000 }, async () => {
  const [one, other] = [await runSeed(4), await runSeed(4)];
  expect(other.trace).toEqual(one.trace);
  expect(other.steps).toBe(one.steps);
});

/** Seeds that once failed. What a seed does changes with the services and the plan of faults, so each says what it found. */
const found: readonly (readonly [number, string])[] = [
  [
    38,
    'a gateway killed in the middle of an update in pieces held the floor, and with it every acknowledgement after Postgres, for ten minutes',
  ],
  [166, 'a persistence that was stopped while another went on raised an alarm about a log that was merely trimmed'],
  [199, 'what a wiped log took along, and living clients still had, did not come back'],
  [
    9,
    'an edit typed while its author came back was acknowledged before the one it builds on was there (found by chaos; by this seed with users who queue)',
  ],
  [
    2250,
    'after a lost relay and an answer to somebody else a document was asked for anew from too far on: live clients never got what the relay had',
  ],
  [
    644,
    '[PE19] of two persistences that wrote up to the same floor one took for written what only it had read, from above the floor: acknowledged edits never came to Postgres',
  ],
  [
    3437,
    '[GW7] who was behind when the log was replaced was asked for from a position of the old log in the new one, and never got what came in between',
  ],
  [
    585,
    '[SW20] structs that waited in a snapshot for what a lost log had were not given to clients past its state vector, who so missed them for good',
  ],
  [
    8143,
    '[GW8] a log was wiped while what waited for its floor filled the bound: nothing was appended to the new one, and nobody could write any more',
  ],
  [
    7924,
    '[GW5] a worker that got a document back while it still relayed it from before was told to close it, after it had answered: its relays ended, and nobody noticed',
  ],
  [
    7245,
    '[GW11] what somebody typed before coming back came into the log without what it builds on, its author vanished, and an acknowledged edit merged with it lay pending for ever',
  ],
  [778, '[SW19] a worker waited for ever for records that were trimmed while Postgres did not tell it the floor'],
];

test.each(found)('seed %i: %s', { timeout: 60_000 }, async (seed) => {
  expect((await runSeed(seed)).violations).toEqual([]);
});

test.each(bugs)('still fits the sources: $name', ({ patches }) => {
  for (const { file, from } of patches) {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(source.split(from).length - 1, `${file} has: ${from}`).toBe(1);
  }
});

// All of them, with the seeds it took: npm run sim -- --bugs (docs/reliability.md).
test.each(bugs.filter(({ quick }) => quick))('finds, once planted: $name', { timeout: 300_000 }, async ({ patches }) => {
  const results = await runMany({ from: 1, seeds: 60, stopAtFirst: true, patches });
  expect(failed(results)).not.toEqual([]);
});
