import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { readResults, type Result } from '@weft/loadgen';
import { temporaryFolder } from '@weft/testkit';
import type { Running } from './candidates/candidate.ts';
import { natsRoundTrip } from './nats-round-trip.ts';
import { figuresBetween, lookAt } from './own-figures.ts';
import type { Row } from './rows/row.ts';

const loadgen = fileURLToPath(new URL('../../services/loadgen/dist/main.js', import.meta.url));
/** Compilers that count how often something runs have compiled what matters after this; edits a second, seconds. */
const warmUp = { rate: 3000, warm: 0, seconds: 25 };
/** Of an edit of the load generator's. */
const stampCharacters = 9;
const nothingTyped = { updates: 0, typistSeconds: 0, editBytes: stampCharacters };
const restTrips = 400;
const rowMsMax = 540_000;
/** What is stored a moment later is stored by then: Hocuspocus waits 2 s, a flush of ours takes one. */
const storeMs = 6_000;

export interface RowRun {
  /** CPU of the load generator. */
  readonly core: number;
  /** `parameter=number`, over the row's own where the scenario has it. */
  readonly set: readonly string[];
  readonly say: (line: string) => void;
}

/** Runs a row's scenario once against what runs. Rejects when the generator could not do it. */
export async function runRow(row: Row, candidate: string, running: Running, run: RowRun): Promise<Result> {
  const prefix = `bench-${Math.random().toString(36).slice(2)}`;
  if (row.coldBytes !== undefined) {
    await load('seed', { bytes: row.coldBytes }, candidate, running, prefix, run);
    await sleep(storeMs);
    await running.restart();
  }
  if (row.warm !== false) await load('typing', warmUp, candidate, running, `${prefix}-warm`, { ...run, set: [], say: () => undefined });
  const before = await lookAt(running);
  const result = await load(row.scenario, row.set ?? {}, candidate, running, prefix, run);
  const after = await lookAt(running);
  const { updates_per_second: rate = 0 } = result.figures;
  const { pace = 5, seconds = 0, warm = 0 } = result.parameters as Readonly<Record<string, number>>;
  const measured = { updates: rate * (seconds + warm), typistSeconds: (rate * (seconds + warm)) / pace, editBytes: stampCharacters };
  const bytes = row.set?.['bytes'];
  const growth = result.figures['peak_memory_growth_bytes'];
  const figures = {
    ...result.figures,
    ...gatewaysTogether(result.figures),
    ...figuresBetween(before, after, row.scenario === 'typing' ? measured : nothingTyped),
    ...(row.scenario === 'rest' && running.natsUrl !== undefined ? await natsRoundTrip(running.natsUrl, restTrips) : {}),
    ...(growth === undefined || bytes === undefined ? {} : { peak_memory_growth_documents: growth / bytes }),
  };
  run.say(`  ${row.name}: ${result.troubles.length === 0 ? 'done' : result.troubles.join('; ')}`);
  return { ...result, figures };
}

/** What two gateways take together, a connection; `gateway-1` and `gateway-2` become `gateway`. */
function gatewaysTogether(figures: Readonly<Record<string, number>>): Record<string, number> {
  const together: Record<string, number> = {};
  for (const [name, value] of Object.entries(figures)) {
    const kind = /^(.*)-\d+$/.exec(name)?.[1];
    if (kind !== undefined) together[kind] = (together[kind] ?? 0) + value;
  }
  return together;
}

async function load(
  scenario: string,
  parameters: Readonly<Record<string, number>>,
  candidate: string,
  running: Running,
  prefix: string,
  { core, set, say }: RowRun,
): Promise<Result> {
  const json = join(temporaryFolder('bench'), 'result.jsonl');
  const args = [scenario, '--quiet', '--name', candidate, '--dialect', running.dialect, '--path', running.path, '--token', running.token];
  args.push('--prefix', prefix, '--json', json, ...running.urls.flatMap((url) => ['--url', url]));
  for (const [name, value] of Object.entries(parameters)) args.push('--set', `${name}=${value}`);
  for (const one of set) args.push('--set', one);
  for (const { name, pid } of running.processes()) args.push('--process', `${name}=${pid}`);
  const child = spawn('taskset', ['-c', String(core), process.execPath, loadgen, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.on('data', (data: Buffer) => {
    told += data.toString();
    for (const line of data.toString().trimEnd().split('\n')) say(`    ${line}`);
  });
  const timer = setTimeout(() => child.kill(), rowMsMax);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  // 1: it ran, and something was not delivered; the result says what.
  if (code !== 0 && code !== 1) throw new Error(`the load generator ended with ${code}: ${told.trimEnd().split('\n').at(-1)}`);
  const [result] = readResults(readFileSync(json, 'utf8'));
  rmSync(json);
  return result!;
}
