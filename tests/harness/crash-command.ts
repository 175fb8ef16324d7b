import { cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCluster } from './cluster.ts';
import { CrashRounds, type Round, type Victim, victims } from './crash-rounds.ts';
import { randomFrom } from './random.ts';

/** `npm run crash -- --rounds 100 [--only gateway,nats] [--seed 7] [--postgres-away-ms 20000]`: see CrashRounds. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    rounds: { type: 'string', default: '100' },
    only: { type: 'string' },
    seed: { type: 'string' },
    'postgres-away-ms': { type: 'string', default: '20000' },
  },
});
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const chosen = values.only === undefined ? victims : values.only.split(',').map(victimNamed);
let promised = 0;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function tell(number: number, round: Round): void {
  promised += round.promised;
  say(
    `${String(number).padStart(4)}  ${round.victim.padEnd(14)} ${String(round.promised).padStart(4)} acknowledged edits found; ` +
      `down ${Math.round(round.downMs)} ms, everything well again after ${Math.round(round.recoveredMs)} ms`,
  );
}

function victimNamed(name: string): Victim {
  const victim = victims.find((one) => one === name);
  if (victim === undefined) throw new Error(`--only takes ${victims.join(', ')}, not ${JSON.stringify(name)}`);
  return victim;
}

say(`${rounds} rounds of kill -9, seed ${seed}`);
const cluster = await startCluster({ gateways: 2, workers: 2 });
let failed = false;
try {
  const crashes = await CrashRounds.begin(cluster, randomFrom(seed));
  for (let i = 1; i <= rounds; i++) {
    const round = await crashes.run(chosen[(i - 1) % chosen.length]!);
    tell(i, round);
  }
  const awayMs = Number(values['postgres-away-ms']);
  if (awayMs > 0) tell(rounds + 1, await crashes.postgresAway(awayMs));
  crashes.end();
  say(`${rounds} rounds, ${promised} edits acknowledged to people who never came back: all there`);
} catch (error) {
  failed = true;
  const kept = join(tmpdir(), `weft-crash-${seed}`);
  cpSync(cluster.folder, kept, { recursive: true });
  say(`FAILED (--seed ${seed}; logs kept in ${kept}): ${error instanceof Error ? error.stack : String(error)}`);
}
await cluster.kill();
process.exit(failed ? 1 : 0);
