import { afterAll, beforeAll, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { CrashRounds, victims } from '../harness/crash-rounds.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';

/** Issue 3, Shows 4, cluster part: each service once. `npm run crash -- --rounds 100` goes on for longer. */
let cluster: Cluster;
let crashes: CrashRounds;

beforeAll(async () => {
  cluster = await startCluster({ gateways: 2, workers: 2 });
  crashes = await CrashRounds.begin(cluster, randomFrom(printedSeed('crash')));
});
afterAll(async () => {
  crashes?.end();
  await cluster?.kill();
});

test.each(victims)('every acknowledged edit is there after kill -9 of %s', { timeout: 120_000 }, async (victim) => {
  onTestFailed(() => console.error(cluster.logTails()));
  await crashes.run(victim);
});

test.each(victims.filter((victim) => victim !== 'nats' && victim !== 'postgres'))(
  'every acknowledged edit is there after %s was stopped, which leaves with 0',
  { timeout: 120_000 },
  async (victim) => {
    onTestFailed(() => console.error(cluster.logTails()));
    await crashes.run(victim, 'stop');
  },
);

test('Postgres away for 5 s: editing and acknowledgements go on, and it gets everything after', { timeout: 120_000 }, async () => {
  onTestFailed(() => console.error(cluster.logTails()));
  await crashes.postgresAway(5_000);
});
