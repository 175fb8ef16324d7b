/**
 * `npm run bench:hot-path -- [--only text] [--allocations] [--json file] [--compare file]`: what each step of an edit's way costs, in time and in what it allocates.
 * It builds first, and measures what was built. `--only`: steps whose name has this text. `--allocations`: who allocates in each. `--compare`: ratios to the file of an earlier run.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { allSteps } from './all-steps.ts';
import { measure } from './measure.ts';
import { allocatorsOf, tableOf } from './report.ts';
import type { Figures } from './step.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    allocations: { type: 'boolean', default: false },
    json: { type: 'string' },
    compare: { type: 'string' },
    step: { type: 'string' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function measuredApart(name: string): Promise<Figures> {
  // The young generation as large as it becomes under load, from the start.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--min-semi-space-size=16', '--expose-gc', fileURLToPath(import.meta.url), '--step', name],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  // What the code that is measured may have said comes before it.
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Figures;
}

async function measureAll(): Promise<void> {
  const steps = allSteps.filter(({ name }) => name.includes(values.only));
  if (steps.length === 0)
    throw new Error(`no step's name has ${JSON.stringify(values.only)}; there are:\n${allSteps.map(({ name }) => name).join('\n')}`);
  const earlier = values.compare === undefined ? [] : (JSON.parse(await readFile(values.compare, 'utf8')) as Figures[]);
  const figures: Figures[] = [];
  try {
    for (const { name } of steps) {
      process.stderr.write(`${name}\n`);
      figures.push(await measuredApart(name));
    }
  } finally {
    // What there is, too, when a step fails.
    await show(figures, earlier);
  }
}

async function show(figures: readonly Figures[], earlier: readonly Figures[]): Promise<void> {
  for (const line of tableOf(figures, earlier)) say(line);
  if (values.allocations)
    for (const one of figures) {
      say(`\n${one.name}`);
      for (const line of allocatorsOf(one)) say(line);
    }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, undefined, 1)}\n`);
}

if (values.step === undefined) await measureAll();
else {
  const step = allSteps.find(({ name }) => name === values.step);
  if (!step) throw new Error(`no step is called ${JSON.stringify(values.step)}`);
  say(JSON.stringify(await measure(step)));
}
