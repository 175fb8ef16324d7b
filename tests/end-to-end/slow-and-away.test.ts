import { afterEach, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { untilEqual } from '../harness/gathering.ts';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import { forgetPeak, peakMemory, residentMemory } from '../harness/memory.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { untilStored } from '../harness/stored-content.ts';
import type { User, UserKind } from '../harness/users.ts';

/** Issue 3, "Limits and bad input", last row: servers absent at the start, and lost while running. */
let cluster: Cluster;
const users: User[] = [];

afterEach(async () => {
  for (const user of users.splice(0)) user.leave();
  await cluster?.kill();
});

async function join(name: string, kind: UserKind, gateway: number): Promise<LedgerWriter> {
  const options = { kind, name, url: cluster.url(gateway), document: 'away', token: await cluster.token() };
  const writer = new LedgerWriter(options, randomFrom(printedSeed(name)));
  users.push(writer.user);
  await writer.user.untilSynced();
  return writer;
}

test(
  'NATS lost while running: people on one gateway go on together, acknowledgements wait, all is delivered after',
  { timeout: 120_000 },
  async () => {
    cluster = await startCluster({ gateways: 2, workers: 2 });
    onTestFailed(() => console.error(cluster.logTails()));
    const ada = await join('ada', 'hocuspocus-4', 0);
    const bob = await join('bob', 'y-websocket', 0);
    const eve = await join('eve', 'hocuspocus-3', 1);
    const docs = (...writers: LedgerWriter[]) => writers.map(({ user }) => user.doc);

    for (const lose of ['kill', 'pause'] as const) {
      const logged = cluster.gateways[0]!.logs.length;
      await cluster.nats[lose]();
      for (let i = 0; i < 20; i++) for (const writer of [ada, bob, eve]) writer.type();
      await untilEqual(docs(ada, bob), 5_000);
      expect(ada.user.isAcknowledged).toBe(false);
      expect(eve.user.isAcknowledged).toBe(false);
      expect(ada.missingIn(eve.user.doc)).toEqual([]);
      expect(ledgerSize(eve)).toBeLessThan(ledgerSize(ada));
      // Not only an instant: until an append has gone without its answer and is tried again.
      await cluster.gateways[0]!.untilLogged('append to slice 0', logged);
      await (lose === 'kill' ? cluster.nats.start() : cluster.nats.resume());
      await Promise.all([ada, eve].map(({ user }) => user.untilAcknowledged()));
      await untilEqual(docs(ada, bob, eve));
      await untilStored(cluster, 'away', ada.user.doc);
      // Nobody had to come back for it.
      expect([ada.user.tally?.sockets, eve.user.tally?.sockets]).toEqual([1, 1]);
    }
  },
);

test(
  'a client that hears nothing for a while costs the gateway no memory, and is caught up when it hears again',
  { timeout: 120_000 },
  async () => {
    cluster = await startCluster();
    onTestFailed(() => console.error(cluster.logTails()));
    const ada = await join('ada', 'hocuspocus-4', 0);
    const slow = [await join('slow-4', 'hocuspocus-4', 0), await join('slow-y', 'y-websocket', 0)];
    const { pid } = cluster.gateways[0]!;
    for (const { user } of slow) user.stopHearing();
    const notes = ada.user.doc.getText('notes');
    // One page written over and over: far more goes by than the document holds, or any socket buffer.
    const pageBytes = 256 * 1024;
    const pages = 200;
    forgetPeak(pid);
    const before = residentMemory(pid);
    for (let i = 0; i < pages; i++) {
      notes.doc!.transact(() => {
        notes.delete(0, notes.length);
        notes.insert(0, String.fromCharCode(97 + (i % 26)).repeat(pageBytes));
      });
      await ada.user.untilAcknowledged();
    }
    const grownBytes = peakMemory(pid) - before;
    for (const { user } of slow) user.hearAgain();
    await untilEqual([ada, ...slow].map(({ user }) => user.doc));
    expect([ada, ...slow].map(({ user }) => user.doc.getText('notes').toJSON() === notes.toJSON())).toEqual([true, true, true]);
    expect(slow[0]!.user.tally?.sockets).toBe(1);
    // Two slow clients: what their sockets may hold unsent, and room for V8 to breathe; not the 2 x 50 MB that went by.
    process.stderr.write(`slow clients: the gateway grew by ${Math.round(grownBytes / 2 ** 20)} MiB at most\n`);
    expect(grownBytes).toBeLessThan(pages * pageBytes);
  },
);

test(
  '[A25] servers absent at the start: alive, not ready, says what it waits for, tries again, and is ready when they come',
  { timeout: 120_000 },
  async () => {
    cluster = await startCluster({ start: false });
    onTestFailed(() => console.error(cluster.logTails()));
    const [gateway, worker, persistence, auth] = [cluster.gateways[0]!, cluster.workers[0]!, cluster.persistence[0]!, cluster.auth[0]!];
    await Promise.all([cluster.nats.kill(), cluster.postgres.kill()]);
    for (const service of cluster.services) service.launch();

    await Promise.all([gateway, worker, auth].map((service) => service.untilLogged('connect to NATS', 0)));
    await persistence.untilLogged('migrate the schema of Postgres', 0);
    for (const service of cluster.services) {
      expect((await service.ops('/healthz')).status, service.id).toBe(200);
      const ready = await service.ops('/readyz');
      expect(ready.status, service.id).toBe(503);
      expect(ready.text, service.id).toMatch(service === persistence ? /Postgres/ : /NATS/);
    }

    await cluster.nats.start();
    await auth.untilReady();
    await worker.untilLogged('read from Postgres', 0);
    // Without a worker nobody could open anything; without Postgres a worker could answer for nothing.
    for (const service of [gateway, worker, persistence]) expect((await service.readiness()).ok, service.id).toBe(false);

    await cluster.postgres.start();
    await Promise.all(cluster.services.map((service) => service.untilReady()));
    const ada = await join('ada', 'hocuspocus-4', 0);
    await ada.typeAcknowledged(3);
    await untilStored(cluster, 'away', ada.user.doc);
  },
);

test('asked to stop while it waits for its servers, a service leaves with 0', { timeout: 60_000 }, async () => {
  cluster = await startCluster({ start: false });
  onTestFailed(() => console.error(cluster.logTails()));
  await Promise.all([cluster.nats.kill(), cluster.postgres.kill()]);
  for (const service of cluster.services) service.launch();
  await Promise.all(cluster.services.map((service) => service.untilLogged('failed, will be tried again', 0)));
  await Promise.all(cluster.services.map((service) => service.stop()));
  for (const service of cluster.services) expect(service.logs, service.id).not.toContain('fatal');
});

function ledgerSize({ user }: LedgerWriter): number {
  return user.doc.getMap('ledger').size;
}
