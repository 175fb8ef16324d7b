import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import { randomFrom } from '../harness/random.ts';
import { User } from '../harness/users.ts';

/** Found by `npm run chaos -- --seed 101`, made certain. */
let cluster: Cluster;
/** Long enough for a provider to come back (1 s) and to be told of what it flushes. */
const backMs = 4_000;

beforeAll(async () => {
  cluster = await startCluster({ gateways: 2 });
});
afterAll(() => cluster?.kill());

test.each(['hocuspocus-4', 'hocuspocus-3'] as const)(
  '%s comes back while no worker answers: what it is told is safe does not build on an edit that only it has',
  { timeout: 120_000 },
  async (kind) => {
    onTestFailed(() => console.error(cluster.logTails()));
    const [first, second] = cluster.gateways;
    const [worker] = cluster.workers;
    const document = `returning-${kind}`;
    const token = await cluster.token();
    let port = first!.port;
    const route = (url: string): string => Object.assign(new URL(url), { port: String(port) }).href;
    const writer = new LedgerWriter({ kind, name: 'writer', document, token, url: cluster.url(0), sockets: { route } }, randomFrom(1));
    await writer.user.untilSynced();
    await writer.typeAcknowledged(5);

    worker!.pause();
    // It takes the edit off the wire and tells nobody.
    first!.pause();
    writer.type();
    port = second!.port;
    await first!.kill();
    writer.type();
    await sleep(backMs);
    writer.type();
    await sleep(backMs / 4);
    const promised = writer.acknowledged;
    writer.user.crash();
    worker!.resume();

    const reader = new User({ kind: 'y-websocket', name: 'reader', document, token, url: cluster.url(1) });
    await reader.untilSynced();
    expect(writer.missingIn(reader.doc)).toEqual([]);
    expect(promised).toBe(5);
    reader.leave();
    await first!.start();
  },
);
