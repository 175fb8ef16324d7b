import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { Load } from './load.ts';
import { Takeover } from './takeover.ts';

/** The short form of `npm run takeover`: that it works, with bounds for a machine that does much else. How fast it is, the command measures. */
let cluster: Cluster;
let load: Load;
let takeover: Takeover;
beforeAll(async () => {
  cluster = await startCluster({ gateways: 2, workers: 2 });
  const token = await cluster.token();
  load = await Load.gather({ documents: 12, editsPerSecond: 60, urls: [cluster.url(0), cluster.url(1)], token });
  takeover = new Takeover(cluster, load, { token, lookMs: 2_500 });
  load.start();
});
afterAll(async () => {
  load.leave();
  await cluster.kill();
});

const slow = { timeout: 120_000 };

test('a worker is killed: its documents are taken over, who joins is answered, and no save waits for it', slow, async () => {
  onTestFailed(() => console.error(cluster.logTails()));
  const round = await takeover.round(cluster.workers[0]!, 'kill');
  expect(round.documents).toBeGreaterThan(2);
  expect(Math.max(...round.relaysAgain)).toBeLessThan(8_000);
  expect(Math.max(...round.joins)).toBeLessThan(8_000);
  // An acknowledgement that waited for the takeover would take more than a second, and there would be dozens.
  expect(round.acks.filter((ms) => ms > 1_000).length).toBeLessThan(round.acks.length / 10);
  expect(load.troubles()).toEqual([]);
});

test('a worker drains: relays go on meanwhile, nobody is refused, and it leaves with 0', slow, async () => {
  onTestFailed(() => console.error(cluster.logTails()));
  const round = await takeover.round(cluster.workers[1]!, 'stop');
  expect(round.documents).toBeGreaterThan(2);
  // A hand-over that began with silence would hold up every edit of its documents until it was done.
  expect(round.relays.filter((ms) => ms > 1_500).length).toBeLessThan(round.relays.length / 10);
  expect(Math.max(...round.joins)).toBeLessThan(8_000);
  expect(round.leftMs).toBeLessThan(9_000);
  expect(load.troubles()).toEqual([]);
});

test(
  'a gateway drains: closes with 1012, spread over its window; everything is acknowledged, and all are equal in the end',
  slow,
  async () => {
    onTestFailed(() => console.error(cluster.logTails()));
    const gateway = cluster.gateways[0]!;
    await gateway.stop();
    const drops = load.clients.flatMap((client) => client.drops);
    expect(drops.length).toBeGreaterThanOrEqual(12);
    expect(new Set(drops.map(({ code }) => code))).toEqual(new Set([1012]));
    const at = drops.map(({ atMs }) => atMs);
    // WEFT_DRAIN is 1 s here; all at once would come back all at once.
    expect(Math.max(...at) - Math.min(...at)).toBeGreaterThan(300);
    load.stop();
    await load.untilSettled();
    expect(load.clients.map((client) => client.refused + client.denied)).toEqual(load.clients.map(() => 0));
    expect(load.clients.reduce((sum, client) => sum + client.acknowledged, 0)).toBe(
      load.clients.reduce((sum, client) => sum + client.made, 0),
    );
  },
);
