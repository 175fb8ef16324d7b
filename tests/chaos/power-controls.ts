import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Random } from '../harness/random.ts';
import { CommitProxy } from './power-commit-proxy.ts';
import { PowerHouse, type PowerHouseOptions } from './power-house.ts';
import { PowerRounds } from './power-rounds.ts';
import { keeps, type PlannedRound } from './power-variants.ts';

const eager = fileURLToPath(new URL('./power-eager-acknowledgements.test-process.ts', import.meta.url));
const everything: PlannedRound = { replicas: 1, cut: 'both', ends: 'everything', keep: 0 };
/** A fault need not strike in the very moment of the first cut. */
const attemptsMax = 4;
/** Of the control that must lose nothing: one each. */
const roundsToHold = keeps.length;

export interface Control {
  readonly name: string;
  readonly mustLose: boolean;
  /** A house with this one fault. `weakened`: transactions that were made to answer early. */
  readonly build: () => Promise<{ readonly house: PowerHouse; readonly weakened?: () => number; readonly close?: () => void }>;
}

export interface ControlResult {
  readonly name: string;
  readonly mustLose: boolean;
  readonly rounds: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly passed: boolean;
}

const withHouse = (options: PowerHouseOptions) => async () => ({ house: await PowerHouse.start(options) });
/** The log is lost with each cut: what is acknowledged, Postgres alone has. */
const databaseAlone = { natsSyncs: false, env: { WEFT_ACK_AFTER: 'database' } };

/** The check must be able to fail. Each has the one fault it is named after, and all people vanish, so nobody brings back what the house lost. */
export const controls: readonly Control[] = [
  { name: 'NATS with its default sync_interval', mustLose: true, build: withHouse({ natsSyncs: false }) },
  {
    name: 'synchronous_commit=off, WEFT_ACK_AFTER=database, NATS with its default sync_interval',
    mustLose: true,
    build: async () => {
      let proxy: CommitProxy | undefined;
      const house = await PowerHouse.start({
        ...databaseAlone,
        postgresSettings: { synchronous_commit: 'off' },
        postgresThrough: async (url) => {
          const before = await CommitProxy.before(url);
          ({ proxy } = before);
          return before.url;
        },
      });
      return { house, weakened: () => proxy!.weakened, close: () => proxy!.close() };
    },
  },
  {
    name: 'the same but synchronous_commit as Weft has it',
    mustLose: false,
    build: withHouse(databaseAlone),
  },
  {
    name: 'acknowledged before the append',
    mustLose: true,
    build: withHouse({ nodeArgs: { gateway: ['--import', 'tsx', '--import', pathToFileURL(eager).href] } }),
  },
];

export async function runControl(control: Control, random: Random): Promise<ControlResult> {
  const { house, weakened, close } = await control.build();
  const { name, mustLose } = control;
  const result = { name, mustLose, rounds: 0, acknowledged: 0, lost: 0 };
  try {
    const cuts = await PowerRounds.begin({ house, random, stayers: false });
    while (mustLose ? result.rounds < attemptsMax && result.lost === 0 : result.rounds < roundsToHold) {
      const { acknowledged, lost } = await cuts.run(mustLose ? everything : { ...everything, keep: keeps[result.rounds % keeps.length]! });
      result.rounds += 1;
      result.acknowledged += acknowledged;
      result.lost += lost.length;
    }
    cuts.end();
    if (weakened?.() === 0) throw new Error(`${name}: the proxy weakened no transaction, so this control shows nothing`);
    return { ...result, passed: mustLose ? result.lost > 0 : result.lost === 0 && result.acknowledged > 0 };
  } finally {
    await house.end();
    close?.();
  }
}
