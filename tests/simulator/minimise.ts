import { type Outcome, runSeed } from './run-seed.ts';

const attemptsMax = 60;

/** Leaves out faults, halves first, for as long as the seed still fails: what is left is what it takes. Gives the last failing run. */
export async function minimise(seed: number, failing: Outcome): Promise<Outcome> {
  let best = failing;
  const without = new Set<number>();
  let attempts = 0;
  for (let size = Math.ceil(failing.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    const left = best.faults.map(({ number }) => number);
    for (let at = 0; at < left.length && attempts < attemptsMax; at += size) {
      attempts += 1;
      const candidate = new Set([...without, ...left.slice(at, at + size)]);
      const outcome = await runSeed(seed, { without: candidate });
      if (outcome.violations.length === 0) continue;
      best = outcome;
      for (const number of candidate) without.add(number);
    }
  }
  return best;
}
