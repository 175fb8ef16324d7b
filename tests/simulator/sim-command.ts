import { parseArgs } from 'node:util';
import { bugs } from './bugs.ts';
import { minimise } from './minimise.ts';
import { describeTotals, runMany, totalsOf } from './run-many.ts';
import { runSeed } from './run-seed.ts';

const usage = `npm run sim -- --seed N              one seed, with its trace when it fails and the faults it takes
npm run sim -- --seeds K [--from N]  K seeds on all cores, from N (default 1)
npm run sim -- --bugs [--seeds K]    plants each known bug in turn: the simulator has to find it within K seeds (default 2000)
  --verbose                          with --seed: what the services logged, too`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    bugs: { type: 'boolean', default: false },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const traceLines = 80;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function integer(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    process.stderr.write(`--${name} is ${JSON.stringify(text)}; expected a whole number\n${usage}\n`);
    process.exit(2);
  }
  return value;
}

async function one(seed: number): Promise<boolean> {
  const outcome = await runSeed(seed, { verbose: values.verbose });
  const { steps, faults, edits, acked, violations, settledMs } = outcome;
  say(`seed ${seed}: ${steps} steps, ${faults.length} faults, ${edits} edits, ${acked} acknowledged, in order after ${settledMs} ms`);
  if (violations.length === 0) {
    if (values.verbose) say(outcome.trace.join('\n'));
    say('nothing wrong');
    return true;
  }
  say(`VIOLATED: ${violations[0]}\nlooking for the faults it takes …`);
  const least = await minimise(seed, outcome);
  const { trace } = await runSeed(seed, {
    verbose: values.verbose,
    without: new Set(faults.map(({ number }) => number).filter((number) => least.faults.every((kept) => kept.number !== number))),
  });
  say(`it takes ${least.faults.map(({ number, kind }) => `${number} ${kind}`).join(', ') || 'no fault'}: ${least.violations[0]}`);
  say(trace.slice(values.verbose ? 0 : -traceLines).join('\n'));
  return false;
}

async function many(seeds: number, from: number): Promise<boolean> {
  const startedMs = performance.now();
  let done = 0;
  const results = await runMany({
    from,
    seeds,
    onSeed: ({ seed, violations }) => {
      done += 1;
      if (violations.length > 0) say(`seed ${seed}: ${violations[0]}`);
      if (done % 500 === 0) say(`${done} of ${seeds} seeds, ${Math.round((performance.now() - startedMs) / 1000)} s`);
    },
  });
  say(describeTotals(totalsOf(results)));
  const failed = results.filter(({ violations }) => violations.length > 0);
  say(`${failed.length} seeds failed, in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  for (const { seed } of failed.slice(0, 10)) say(`again: npm run sim -- --seed ${seed}`);
  return failed.length === 0;
}

async function plant(seedsMax: number, from: number): Promise<boolean> {
  let allFound = true;
  say('| planted bug | seeds | found as |\n| --- | --- | --- |');
  for (const { name, patches } of bugs) {
    if (values.only !== undefined && !name.includes(values.only)) continue;
    const results = await runMany({ from, seeds: seedsMax, stopAtFirst: true, patches });
    const found = results.find(({ violations }) => violations.length > 0);
    allFound &&= found !== undefined;
    const numbers = /\d+(\.\d+)*/g;
    say(
      `| ${name} | ${found ? found.seed - from + 1 : `NOT FOUND in ${seedsMax}`} | ${found?.violations[0]?.split('\n')[0]?.replace(numbers, '#').slice(0, 120) ?? ''} |`,
    );
  }
  return allFound;
}

const from = integer('from', values.from);
const ok = values.bugs
  ? await plant(integer('seeds', values.seeds ?? '2000'), from)
  : values.seed !== undefined
    ? await one(integer('seed', values.seed))
    : await many(integer('seeds', values.seeds ?? '300'), from);
process.exitCode = ok ? 0 : 1;
