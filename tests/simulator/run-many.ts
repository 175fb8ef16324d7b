import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Patch } from './bugs.ts';
import type { FaultKind } from './faults.ts';
import type { Outcome } from './run-seed.ts';

export type SeedResult = Omit<Outcome, 'trace'>;

export interface ManyOptions {
  readonly from: number;
  readonly seeds: number;
  /** Ends once a seed failed. */
  readonly stopAtFirst?: boolean;
  readonly patches?: readonly Patch[];
  readonly onSeed?: (result: SeedResult) => void;
}

/** A killed process of the simulation leaves its abort signals with Node for good, about a MiB a seed: what a real one gives back by ending, so must this. */
const seedsAProcess = 250;

/** Runs seeds on all cores, each core a process. Rejects when a process fails. */
export async function runMany({ from, seeds, stopAtFirst = false, patches = [], onSeed = () => {} }: ManyOptions): Promise<SeedResult[]> {
  const shards = Math.min(seeds, availableParallelism());
  const results: SeedResult[] = [];
  const children: ChildProcess[] = [];
  const endAll = (): void => children.forEach((child) => child.kill('SIGKILL'));
  let found = false;
  const hearOf = (result: SeedResult): void => {
    if (found) return;
    results.push(result);
    onSeed(result);
    if (!stopAtFirst || result.violations.length === 0) return;
    found = true;
    endAll();
  };
  const runShard = async (shard: number): Promise<void> => {
    for (let first = from + shard; first < from + seeds && !found; first += shards * seedsAProcess) {
      const child = start([first, Math.min(first + shards * seedsAProcess, from + seeds), shards, stopAtFirst ? 1 : 0], patches);
      children.push(child);
      try {
        await hear(child, hearOf);
      } catch (error) {
        if (!found) throw error;
      }
    }
  };
  const runs = Array.from({ length: shards }, (_, shard) => runShard(shard));
  try {
    await Promise.all(runs);
  } finally {
    endAll();
  }
  return results.toSorted((a, b) => a.seed - b.seed);
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function start(args: readonly number[], patches: readonly Patch[]): ChildProcess {
  return spawn(
    process.execPath,
    ['--conditions=weft-source', '--import', file('./plant.mjs'), '--import', 'tsx', file('./shard.ts'), ...args.map(String)],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, WEFT_SIM_PATCHES: patches.length > 0 ? JSON.stringify(patches) : '' } },
  );
}

async function hear(child: ChildProcess, onResult: (result: SeedResult) => void): Promise<void> {
  let errors = '';
  child.stderr!.on('data', (bytes: Buffer) => (errors = `${errors}${bytes.toString()}`.slice(-4_000)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stdout! })) onResult(JSON.parse(line) as SeedResult);
  const code = await ended;
  if (code !== 0) throw new Error(`a simulating process ended with ${code}: ${errors}`);
}

export interface Totals {
  readonly seeds: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly edits: number;
  readonly acked: number;
  readonly relays: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
}

export function totalsOf(results: readonly SeedResult[]): Totals {
  const faults = new Map<FaultKind, number>();
  for (const result of results) for (const { kind } of result.faults) faults.set(kind, (faults.get(kind) ?? 0) + 1);
  const sum = (of: (result: SeedResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  return {
    seeds: results.length,
    steps: sum(({ steps }) => steps),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    edits: sum(({ edits }) => edits),
    acked: sum(({ acked }) => acked),
    relays: sum(({ relays }) => relays),
    faults,
  };
}

export function describeTotals({ seeds, steps, virtualMs, edits, acked, relays, faults }: Totals): string {
  const kinds = [...faults].toSorted(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${count}`);
  const injected = [...faults.values()].reduce((a, b) => a + b, 0);
  return [
    `${seeds} seeds, ${steps} steps, ${(virtualMs / 3_600_000).toFixed(1)} simulated hours`,
    `${edits} edits, ${acked} acknowledged, ${relays} relays`,
    `${injected} faults: ${kinds.join(', ')}`,
  ].join('\n');
}
