import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '@weft/testkit';
import { randomFrom } from '../harness/random.ts';
import { blowOf, CrashRounds } from './crash-rounds.ts';
import { StandaloneProcess } from './standalone-process.ts';

/** `npm run crash:standalone -- --rounds 100 [--seed 7]`: see CrashRounds. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: { rounds: { type: 'string', default: '100' }, seed: { type: 'string' } },
});
const frozenMs = 20_000;
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`${rounds} rounds of kill -9 on standalone, seed ${seed}`);
const standalone = await StandaloneProcess.plan(temporaryFolder('crash'));
const total = { rounds: 0, edits: 0, acknowledged: 0, lost: 0 };
let failed = false;
let crashes: CrashRounds | undefined;
try {
  crashes = await CrashRounds.begin(standalone, randomFrom(seed), { frozenMs });
  for (let i = 1; i <= rounds; i++) {
    const { blow, edits, acknowledged, lost, startedInMs, tookOver } = await crashes.run(blowOf(i));
    total.rounds += 1;
    total.edits += edits;
    total.acknowledged += acknowledged;
    total.lost += lost.length;
    const back =
      startedInMs === undefined ? '' : `, ready again in ${Math.round(startedInMs)} ms${tookOver ? ', orphaned Postgres ended first' : ''}`;
    const load = `load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} cores`;
    say(`${String(i).padStart(4)}  ${blow.padEnd(10)} ${edits} edits, ${acknowledged} acknowledged, ${lost.length} lost${back} (${load})`);
    for (const one of lost) say(`      LOST ${one}`);
  }
  const lostLater = await crashes.lookAgain();
  for (const one of lostLater) say(`LOST LATER ${one}`);
  const { stayed } = crashes;
  say(`everything was looked for once more after the last round: ${lostLater.length} lost`);
  say(`who stayed through all of it made ${stayed.edits} edits more: equal for all, and acknowledged`);
  say(
    `rounds ${total.rounds}, edits ${total.edits}, acknowledged ${total.acknowledged}, lost ${total.lost + lostLater.length}, seed ${seed}`,
  );
  failed = total.lost + lostLater.length > 0;
} catch (error) {
  failed = true;
  say(`FAILED (seed ${seed}): ${error instanceof Error ? error.stack : String(error)}\n--- standalone\n${standalone.logTail}`);
}
crashes?.leave();
await standalone.stop();
process.exit(failed ? 1 : 0);
