import { runSeed } from './run-seed.ts';

/** Runs every `step`th seed of `from` to `to` and says of each, in a line of JSON, what came of it. A process of its own: one a core. */
const [from = 0, to = 0, step = 1, stopAtFirst = 0] = process.argv.slice(2).map(Number);

for (let seed = from; seed < to; seed += step) {
  const { trace: _, ...outcome } = await runSeed(seed);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  if (stopAtFirst === 1 && outcome.violations.length > 0) break;
}
