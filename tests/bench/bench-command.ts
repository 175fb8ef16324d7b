import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { htmlReport, readResults, type Result, resultTable } from '@weft/loadgen';
import { candidateNamed } from './candidates/candidates.ts';
import { goalTable } from './rows/goal-table.ts';
import type { Row } from './rows/row.ts';
import { rows } from './rows/rows.ts';
import { runRow } from './run-row.ts';

/**
 * `npm run bench -- [row…] [--rounds 3] [--candidates weft,raw] [--out folder]`: every server process on one core, the load generator on the other; candidates in turns, round by
 * round. Prints what came of each goal of targets.md, and writes results.jsonl and report.html. `--cpu-prof folder`: of our services. `--from results.jsonl`, more than once: what earlier runs found, told together.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    candidates: { type: 'string' },
    out: { type: 'string', default: '.' },
    set: { type: 'string', multiple: true, default: [] },
    env: { type: 'string', multiple: true, default: [] },
    'cpu-prof': { type: 'string' },
    tables: { type: 'boolean', default: false },
    from: { type: 'string', multiple: true, default: [] },
  },
});
const serverCore = 0;
const generatorCore = 1;

function chosen(): Row[] {
  const unknown = positionals.filter((name) => rows.every((row) => row.name !== name));
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')}; there are ${rows.map(({ name }) => name).join(', ')}`);
  const only = values.candidates?.split(',').map((name) => candidateNamed(name).name);
  return rows
    .filter(({ name }) => positionals.length === 0 || positionals.includes(name))
    .map((row) => (only ? { ...row, candidates: row.candidates.filter((name) => only.includes(name)) } : row));
}

/** What earlier runs found, told again. */
if (values.from.length > 0) {
  const earlier = values.from.flatMap((file) => readResults(readFileSync(file, 'utf8')));
  tell(earlier);
  process.exit();
}

const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: expected a whole number of 1 or more`);
const results: { row: string; result: Result }[] = [];
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const sittings = new Map<string, Row[]>();
for (const row of chosen()) {
  const name = row.sitting ?? row.name;
  sittings.set(name, [...(sittings.get(name) ?? []), row]);
}

for (let round = 1; round <= rounds; round++)
  for (const [sitting, all] of sittings)
    for (const name of new Set(all.flatMap((row) => row.candidates))) {
      say(`round ${round} of ${rounds}, ${sitting}: ${name}`);
      const profiles = values['cpu-prof'];
      const prof = profiles === undefined || !name.startsWith('weft') ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profiles, sitting)}`];
      const running = await candidateNamed(name).start({
        core: serverCore,
        env: Object.fromEntries(values.env.map((one) => one.split('=', 2) as [string, string])),
        nodeArgs: { gateway: prof, 'sync-worker': prof, persistence: prof, auth: prof },
      });
      try {
        for (const row of all)
          if (row.candidates.includes(name)) {
            const result = await runRow({ ...row, set: { ...row.set, ...rateOf(row) } }, name, running, {
              core: generatorCore,
              set: values.set,
              say,
            });
            results.push({ row: row.name, result });
          }
      } catch (error) {
        say(`${sitting}, ${name}: ${(error as Error).message}`);
      } finally {
        await running.stop();
      }
    }

const named = results.map(({ row, result }) => ({ ...result, scenario: row }));
writeFileSync(join(values.out, 'results.jsonl'), named.map((one) => `${JSON.stringify(one)}\n`).join(''));
tell(named);
process.exit();

/** Of the house's own ceiling, for everybody: the same load. */
function rateOf({ ofCeiling }: Row): { rate?: number } {
  const ours = results.findLast(({ row, result }) => row === 'ceiling' && result.candidate === 'weft');
  const ceiling = ours?.result.figures['ceiling_updates_per_second'] ?? 0;
  return ofCeiling === undefined || ceiling === 0 ? {} : { rate: Math.round(ofCeiling * ceiling) };
}

function tell(all: readonly Result[]): void {
  writeFileSync(join(values.out, 'report.html'), htmlReport(all, { title: 'Weft beside its peers', reference: 'weft' }));
  if (values.tables) process.stdout.write(resultTable(all, { reference: 'weft' }));
  process.stdout.write(
    `\n${goalTable(
      chosen().filter(({ name }) => all.some(({ scenario }) => scenario === name)),
      all,
    )}\n`,
  );
}
