import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { percentile, Revocation, revocationCluster } from './revocation.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(revocationCluster);
});
afterAll(() => cluster?.kill());

test(
  'from the call of the API to the sockets of two gateways: everybody is told within 2 s, and nobody writes after',
  { timeout: 120_000 },
  async () => {
    const told = await new Revocation(cluster, { clients: 28, documents: 3, everyMs: 20 }).run();
    expect(new Set(told.map(({ deed }) => deed)).size).toBe(4);
    expect(told.filter(({ writtenAfter }) => writtenAfter > 0)).toEqual([]);
    expect(
      percentile(
        told.map(({ tookMs }) => tookMs),
        0.99,
      ),
    ).toBeLessThan(2_000);
  },
);

test(
  '[AC15] a deleted document ends for everybody at every gateway within 2 s, and is there again when it is restored',
  { timeout: 60_000 },
  async () => {
    expect(await new Revocation(cluster, { clients: 0, documents: 0, everyMs: 1 }).deleteDocument()).toBeLessThan(2_000);
  },
);
