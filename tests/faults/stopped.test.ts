import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { untilEqual } from '../harness/gathering.ts';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { untilStored } from '../harness/stored-content.ts';
import { type User, type UserKind, userKinds } from '../harness/users.ts';
import { type RingReport, ringTable } from '@weft/ring';
import { until } from '../limits/until.ts';

/**
 * Issue 4: processes that stand still (SIGSTOP) and wake. WEFT_FAULT_STOP_MS=15000 for the 15 s it names; without it they stand still only as long as it takes to pass
 * every bound somebody else has for them: a worker is gone after 1.5 s, a gateway after 5 s.
 */
const gatewayStopMs = Number(process.env['WEFT_FAULT_STOP_MS'] ?? 6_000);
const workerStopMs = Number(process.env['WEFT_FAULT_STOP_MS'] ?? 3_000);

let cluster: Cluster;
const users: User[] = [];

beforeAll(async () => {
  cluster = await startCluster({ gateways: 2, workers: 2 });
});
afterEach(() => {
  for (const user of users.splice(0)) user.leave();
});
afterAll(() => cluster?.kill());

async function join(name: string, kind: UserKind, gateway: number, document: string): Promise<LedgerWriter> {
  const options = { kind, name, url: cluster.url(gateway), document, token: await cluster.token() };
  const writer = new LedgerWriter(options, randomFrom(printedSeed(name)));
  users.push(writer.user);
  await writer.user.untilSynced();
  return writer;
}

/** [RI13] Every process sees the same two workers and owners, and each worker answers for all that it owns. */
async function untilRingsAgree(): Promise<void> {
  let reports: RingReport[] = [];
  await until(
    async () => {
      const answers = await Promise.all([...cluster.gateways, ...cluster.workers].map((service) => service.ops('/ring')));
      reports = answers.map(({ text }) => JSON.parse(text) as RingReport);
      const owners = new Set(reports.map((report) => report.owners.join(' ')));
      const isWhole = ({ peer, owners: all, slices }: RingReport): boolean =>
        slices.every(({ owned, ready, position, end }) => ready.length === owned.length && position === end) &&
        slices.reduce((sum, { owned }) => sum + owned.length, 0) === all.filter((owner) => owner === peer).length;
      return owners.size === 1 && reports.every((report) => report.members.length === 2 && isWhole(report));
    },
    'all see the same ring, and workers are ready for what they own',
    { seen: () => reports.map(ringTable).join('\n') },
  );
}

/** A gauge of a service, as Prometheus would read it. */
async function gauge(service: ServiceProcess, name: string): Promise<number> {
  const { text } = await service.ops('/metrics');
  return Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1]);
}

test(
  '[GW2][GW6] a gateway stopped with an append in flight wakes: its edits are acknowledged and delivered, and it hears what it missed',
  { timeout: 90_000 },
  async () => {
    onTestFailed(() => console.error(cluster.logTails()));
    const [stopped] = cluster.gateways;
    const ada = await join('ada', 'hocuspocus-4', 0, 'gateway-stopped');
    const bob = await join('bob', 'y-websocket', 0, 'gateway-stopped');
    const eve = await join('eve', 'hocuspocus-3', 1, 'gateway-stopped');
    await Promise.all([ada.typeAcknowledged(3), eve.typeAcknowledged(3)]);
    await untilEqual([ada, bob, eve].map(({ user }) => user.doc));

    // NATS stands still while the append leaves, and answers only when the gateway does not hear it any more.
    await cluster.nats.pause();
    ada.type();
    await until(
      () => ada.missingIn(bob.user.doc).length === 0 && ada.made === bob.user.doc.getMap('ledger').size - eve.made,
      'the gateway has the edit',
    );
    stopped!.pause();
    await cluster.nats.resume();
    const waited = sleep(gatewayStopMs);
    // The others go on, and see the edit that was in flight: it is in the log.
    for (let i = 0; i < 10; i++) await eve.typeAcknowledged(1);
    await until(() => eve.user.doc.getMap('ledger').has(`ada#${ada.made}`), 'the edit that was in flight is there');
    expect(ada.user.isAcknowledged).toBe(false);
    await waited;
    stopped!.resume();
    await ada.user.untilAcknowledged();
    await ada.typeAcknowledged(3);
    await untilEqual([ada, bob, eve].map(({ user }) => user.doc));
    for (const writer of [ada, eve]) expect(writer.missingIn(bob.user.doc)).toEqual([]);
    expect(ada.user.tally).toMatchObject({ surplus: 0 });
    await untilStored(cluster, 'gateway-stopped', ada.user.doc);
  },
);

test(
  '[SW14] a worker stopped past its 1.5 s wakes beside the one that took over: nothing old is served, nothing lost, its extra relays end',
  { timeout: 120_000 },
  async () => {
    onTestFailed(() => console.error(cluster.logTails()));
    // Some of each worker's.
    const documents = Array.from({ length: 8 }, (_, i) => `worker-stopped-${i}`);
    const near = await Promise.all(documents.map((document, i) => join(`near-${i}`, userKinds[i % 2]!, 0, document)));
    const far = await Promise.all(documents.map((document, i) => join(`far-${i}`, userKinds[i % 3]!, 1, document)));
    const openPairs = 2 * documents.length;
    /** Who comes now has everything that was acknowledged before they asked, whichever worker answers. */
    const newcomersSeeAll = async (round: string): Promise<void> => {
      await Promise.all(
        documents.map(async (document, i) => {
          const { user } = await join(`late-${round}-${i}`, 'hocuspocus-4', i % 2, document);
          expect(near[i]!.missingIn(user.doc), `${round} ${document}`).toEqual([]);
          user.leave();
        }),
      );
    };

    for (const worker of cluster.workers) {
      await Promise.all(near.map((writer) => writer.typeAcknowledged(2)));
      worker.pause();
      const waited = sleep(workerStopMs);
      // Nobody's saves wait for a worker.
      await Promise.all(near.map(async (writer) => (writer.type(), writer.user.untilAcknowledged(2_000))));
      await waited;
      await Promise.all(near.map((writer) => writer.typeAcknowledged(2)));
      await untilEqual(documents.flatMap((_, i) => (i === 0 ? [near[0]!.user.doc, far[0]!.user.doc] : [])));
      worker.resume();
      // Both think they own what it had, until each has heard the other.
      await Promise.all(near.map((writer) => writer.typeAcknowledged(1)));
      await newcomersSeeAll('woken');
      await Promise.all(near.map((writer) => writer.typeAcknowledged(2)));
      for (const [i] of documents.entries()) await untilEqual([near[i]!.user.doc, far[i]!.user.doc]);
      // Each document is relayed to each gateway by one worker again.
      const registrations = async (): Promise<number> => {
        const counts = await Promise.all(cluster.workers.map((one) => gauge(one, 'weft_worker_registrations')));
        return counts.reduce((sum, count) => sum + count, 0);
      };
      let seen = 0;
      await until(async () => (seen = await registrations()) === openPairs, `the extra relays end: ${openPairs} registrations`, {
        seen: () => `but ${seen}`,
      });
      await untilRingsAgree();
      // [RI14] It did not take the others for gone because it had not heard them.
      expect(worker.logs).not.toContain('"workers":0');
      await newcomersSeeAll('after');
    }
    for (const [i, writer] of near.entries()) {
      expect(writer.missingIn(far[i]!.user.doc)).toEqual([]);
      await untilStored(cluster, documents[i]!, writer.user.doc);
    }
  },
);
