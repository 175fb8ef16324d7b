import { parseArgs } from 'node:util';
import { ChaosRun } from './chaos-run.ts';
import { keepEvidence } from './evidence.ts';
import { type FaultKind, faultKinds, type Step } from './faults.ts';
import { lostIn, reportOf } from './report.ts';

/**
 * `npm run chaos -- --minutes 10 [--seed 7] [--clients 60] [--only kill-worker,step-down] [--pause-ms 3000]`: see ChaosRun.
 * `npm run chaos -- --power …`: see power-command.ts.
 */
const argv = process.argv.slice(2).filter((arg) => arg !== '--');
const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** The clients' token is good for an hour. */
const minutesMax = 50;

if (argv.includes('--power')) {
  const { runPower } = await import('./power-command.ts');
  await runPower(argv.filter((arg) => arg !== '--power'));
} else {
  process.exit(await chaos());
}

async function chaos(): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      clients: { type: 'string', default: '60' },
      only: { type: 'string' },
      'pause-ms': { type: 'string', default: '3000' },
    },
  });
  const minutes = numberGiven('minutes', values.minutes, minutesMax);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : numberGiven('seed', values.seed, 2 ** 32);
  const clients = numberGiven('clients', values.clients, 1_000);
  const pauseMs = numberGiven('pause-ms', values['pause-ms'], 600_000);
  const kinds = values.only === undefined ? faultKinds : values.only.split(',').map(kindNamed);
  say(`chaos for ${minutes} minutes, ${clients} clients, seed ${seed}`);
  const started = performance.now();
  const onStep = ({ faults }: Step): void =>
    say(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${faults.map(describe).join('  and  ')}`);
  // Each y-websocket provider listens for the process's end.
  process.setMaxListeners(0);
  const run = await ChaosRun.begin({ seed, clients, kinds, pauseMs, durationMs: minutes * 60_000, onStep });
  // What a provider throws while it handles a frame, nobody catches but this.
  process.on('uncaughtException', (error) => run.violations.push({ kind: 'thrown', says: error.stack ?? error.message }));
  say(`${run.crowd.living.length} clients are synced`);
  await run.rage();
  say('all is healed; waiting until nothing is unsaved …');
  await run.settle();
  const checked = await run.check();
  for (const line of reportOf(run, checked)) say(line);
  const violations = [...run.violations, ...checked.violations];
  if (violations.length > 0) say(`evidence kept in ${await keepEvidence(run, checked, seed)}; again with --seed ${seed}`);
  await run.end();
  return violations.length === 0 && lostIn(violations) === 0 ? 0 : 1;
}

function describe({ kind, target, holdMs }: Step['faults'][number]): string {
  return kind.startsWith('roll') || kind === 'step-down' ? kind : `${kind} #${target} for ${(holdMs / 1000).toFixed(1)} s`;
}

function numberGiven(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0 && value <= max && text.trim() !== '') return value;
  throw new Error(`--${name} takes a number up to ${max}, not ${JSON.stringify(text)}`);
}

function kindNamed(name: string): FaultKind {
  const kind = faultKinds.find((one) => one === name);
  if (kind === undefined) throw new Error(`--only takes ${faultKinds.join(', ')}, not ${JSON.stringify(name)}`);
  return kind;
}
