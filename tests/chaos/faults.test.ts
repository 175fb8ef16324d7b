import { expect, test } from 'vitest';
import { randomFrom } from '../harness/random.ts';
import { faultKinds, FaultPlan, roomOf, type Step } from './faults.ts';

function plan(seed: number, steps: number): Step[] {
  const drawn = new FaultPlan(randomFrom(seed), { kinds: faultKinds, pauseMs: 1_000 });
  return Array.from({ length: steps }, () => drawn.next());
}

test('a seed gives the same plan again, and another one another', () => {
  expect(plan(7, 100)).toEqual(plan(7, 100));
  expect(plan(7, 100)).not.toEqual(plan(8, 100));
});

test('every kind comes before any comes again', () => {
  const kinds = plan(1, 200).flatMap(({ faults }) => faults.map(({ kind }) => kind));
  for (let i = 0; i + faultKinds.length <= kinds.length; i += faultKinds.length)
    expect(new Set(kinds.slice(i, i + faultKinds.length)).size).toBe(faultKinds.length);
});

test('what happens at once happens in two rooms: two NATS servers are never down together', () => {
  const pairs = plan(2, 500).filter(({ faults }) => faults.length > 1);
  expect(pairs.length).toBeGreaterThan(50);
  for (const { faults } of pairs) expect(new Set(faults.map(({ kind }) => roomOf[kind])).size).toBe(faults.length);
});
