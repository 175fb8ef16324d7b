import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { randomFrom } from '../harness/random.ts';
import { LossyDisk, lossyDiskMissing } from '../harness/lossy-disk.ts';
import { type PowerRound, PowerRounds } from './power-rounds.ts';

/** `npm run crash:power -- --rounds 30 [--seed 7]`: see PowerRounds. The control comes last: the same check on a Postgres without fsync must fail. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: { rounds: { type: 'string', default: '30' }, seed: { type: 'string' } },
});
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const keeps = [0, 0.5];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function describe({ keep, edits, acknowledged, lost, bytesLost, bytesKept, startedInMs }: PowerRound): string {
  const load = `load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} cores`;
  return (
    `keep=${keep}  ${edits} edits, ${acknowledged} acknowledged, ${lost.length} lost; ` +
    `the disk forgot ${bytesLost} unsynced bytes and kept ${bytesKept}; ready again in ${Math.round(startedInMs)} ms (${load})`
  );
}

const missing = lossyDiskMissing();
if (missing !== undefined) {
  say(`skipped: no disk whose power can be cut, for ${missing}`);
  process.exit(0);
}
say(`${rounds} power cuts under standalone, seed ${seed}`);
const disk = LossyDisk.mount();
const power = await PowerRounds.plan(disk, randomFrom(seed));
const { standalone } = power;
const total = { rounds: 0, edits: 0, acknowledged: 0, lost: 0 };
let failed = false;
try {
  say(`first start, on that disk too: ready in ${Math.round(await standalone.start())} ms`);
  for (let i = 1; i <= rounds; i++) {
    const round = await power.run(keeps[(i - 1) % keeps.length]!);
    total.rounds += 1;
    total.edits += round.edits;
    total.acknowledged += round.acknowledged;
    total.lost += round.lost.length;
    say(`${String(i).padStart(4)}  ${describe(round)}`);
    for (const one of round.lost) say(`      LOST ${one}`);
  }
  const lostLater = await power.lookAgain();
  for (const one of lostLater) say(`LOST LATER ${one}`);
  say(`everything was looked for once more after the last round: ${lostLater.length} lost`);
  say(
    `rounds ${total.rounds}, edits ${total.edits}, acknowledged ${total.acknowledged}, lost ${total.lost + lostLater.length}, seed ${seed}`,
  );
  const control = await power.runControl();
  const canFail = control.lost.length > 0;
  say(`control, with fsync off in Postgres: ${describe(control)}`);
  say(canFail ? 'so the same check fails without fsync, as it must' : 'THE CONTROL LOST NOTHING: this check proves nothing');
  failed = total.lost + lostLater.length > 0 || !canFail;
} catch (error) {
  failed = true;
  say(`FAILED (seed ${seed}): ${error instanceof Error ? error.stack : String(error)}\n--- standalone\n${standalone.logTail}`);
}
await standalone.stop();
disk.unmount();
process.exit(failed ? 1 : 0);
