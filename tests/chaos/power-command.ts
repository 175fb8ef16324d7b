import { cpSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lossyDiskMissing } from '../harness/lossy-disk.ts';
import { type Random, randomFrom } from '../harness/random.ts';
import { type ControlResult, controls, runControl } from './power-controls.ts';
import { PowerHouse } from './power-house.ts';
import { type PowerRound, PowerRounds } from './power-rounds.ts';
import { tableOf, tableOfControls } from './power-table.ts';
import { nameOf, type PlannedRound, planRounds } from './power-variants.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** `npm run chaos -- --power [--rounds 100] [--seed 7] [--controls] [--only '3 replicas']`: see PowerRounds. `--controls`: only these; `--only`: of everything
 * planned, what has this in its name. Ends the process: 1 when a promise broke or a control showed nothing. */
export async function runPower(argv: readonly string[]): Promise<never> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string' },
      controls: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const missing = lossyDiskMissing();
  if (missing !== undefined) {
    say(`skipped: no disk whose power can be cut, for ${missing}`);
    process.exit(0);
  }
  const rounds = values.controls ? 0 : wholeNumber('rounds', values.rounds);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : wholeNumber('seed', values.seed);
  const random = randomFrom(seed);
  say(`${rounds} power cuts under the cluster, then the controls; seed ${seed}`);
  const beganMs = performance.now();
  let failed = false;
  const done: PowerRound[] = [];
  const shown: ControlResult[] = [];
  try {
    const plan = planRounds(rounds);
    for (const replicas of [1, 3] as const) {
      const planned = plan.filter((one) => one.replicas === replicas && nameOf(one).includes(values.only));
      if (planned.length > 0 && !(await cutAll(planned, random, seed, done))) failed = true;
    }
    for (const control of controls.filter(({ name }) => name.includes(values.only))) {
      const result = await runControl(control, random);
      shown.push(result);
      const { name, acknowledged, lost, passed } = result;
      say(`control: ${name}: ${acknowledged} acknowledged, ${lost} lost${passed ? '' : ': NOT AS IT MUST BE'}`);
      if (!passed) failed = true;
    }
  } catch (error) {
    failed = true;
    say(`FAILED (--seed ${seed}): ${error instanceof Error ? error.stack : String(error)}`);
  }
  say('');
  if (done.length > 0) for (const line of tableOf(done)) say(line);
  say('');
  for (const line of tableOfControls(shown)) say(line);
  say(`\n${failed ? 'FAILED' : 'passed'} in ${((performance.now() - beganMs) / 60_000).toFixed(1)} minutes, seed ${seed}`);
  process.exit(failed ? 1 : 0);
}

/** The rounds of one house. False when something that was acknowledged is lost. */
async function cutAll(planned: readonly PlannedRound[], random: Random, seed: number, done: PowerRound[]): Promise<boolean> {
  const house = await PowerHouse.start({ nats: planned[0]!.replicas });
  const before = done.length;
  try {
    const rounds = await PowerRounds.begin({ house, random });
    for (const one of planned) {
      const round = await rounds.run(one);
      done.push(round);
      say(`${String(done.length).padStart(4)}  ${describe(round)}`);
      for (const entry of round.lost) say(`      LOST ${entry}`);
    }
    const lostLater = await rounds.lookAgain();
    for (const entry of lostLater) say(`LOST LATER ${entry}`);
    say(`all ${rounds.acknowledged} edits ever acknowledged were looked for in Postgres once more: ${lostLater.length} lost`);
    rounds.end();
    return lostLater.length === 0 && done.slice(before).every(({ lost }) => lost.length === 0);
  } catch (error) {
    const kept = join(tmpdir(), `weft-power-logs-${seed}`);
    cpSync(house.cluster.folder, kept, { recursive: true });
    say(`the services' logs are kept in ${kept}`);
    throw error;
  } finally {
    await house.end();
  }
}

function describe(round: PowerRound): string {
  const { planned, edits, acknowledged, acknowledgedToGuests, lost, bytesLost, bytesKept, readyMs, wellMs } = round;
  return (
    `${nameOf(planned)}, keep ${planned.keep}: ${edits} edits, ${acknowledged} acknowledged (${acknowledgedToGuests} to people who vanished), ${lost.length} lost; ` +
    `${bytesLost} unsynced bytes forgotten, ${bytesKept} kept; ready after ${Math.round(readyMs)} ms, all well after ${Math.round(wellMs)} ms ` +
    `(load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} cores)`
  );
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0 && text.trim() !== '') return value;
  throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}`);
}
