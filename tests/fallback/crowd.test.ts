import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { crowd } from './crowd.ts';

/** `npm run fallback` in small. */
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ gateways: 2, workers: 2 });
});
afterAll(() => cluster?.kill());

test(
  'without stickiness a gateway is killed under clients by the fallback: all equal, nothing acknowledged is lost',
  { timeout: 300_000 },
  async () => {
    onTestFailed(() => console.error(cluster.logTails()));
    const random = randomFrom(printedSeed('fallback-crowd'));
    const size = { clients: 12, alone: 4, documents: 2, edits: 600, editsPerSecond: 60 };
    const report = await crowd(cluster, { ...size, random, say: (line) => console.log(line) });
    expect(report).toMatchObject({ lost: [], wronglyAnswered: [], vanished: 2 });
    expect(report.acknowledged).toBeGreaterThan(200);
    expect(report.requests.size).toBe(2);
  },
);
