import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { untilEqual } from '../harness/gathering.ts';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { untilStored } from '../harness/stored-content.ts';
import type { UserKind } from '../harness/users.ts';
import { until } from '../limits/until.ts';

const stream = 'WEFT_LOG_0';
let cluster: Cluster;
const writers: LedgerWriter[] = [];

afterEach(async () => {
  for (const { user } of writers.splice(0)) user.leave();
  await cluster?.kill();
});

async function join(name: string, kind: UserKind, gateway: number): Promise<LedgerWriter> {
  const options = { kind, name, url: cluster.url(gateway), document: 'leader', token: await cluster.token() };
  const writer = new LedgerWriter(options, randomFrom(printedSeed(name)));
  writers.push(writer);
  await writer.user.untilSynced();
  return writer;
}

async function withNats<T>(work: (manager: JetStreamManager, connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: cluster.nats.url.split(',') });
  try {
    return await work(await jetstreamManager(connection), connection);
  } finally {
    await connection.close();
  }
}

/** `test-0`, as the testkit calls its servers. */
const leaderOf = (): Promise<string> => withNats(async (manager) => (await manager.streams.info(stream)).cluster?.leader ?? '');

/** Types without a pause while `deed` is done: an append is always in flight. */
async function whileTyping(typing: readonly LedgerWriter[], deed: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => {
    for (const writer of typing) writer.type();
  }, 10);
  try {
    await until(() => typing.every(({ made, acknowledged }) => made > acknowledged && acknowledged > 0), 'appends are in flight');
    await deed();
  } finally {
    clearInterval(timer);
  }
}

test(
  'the log’s leader changes in the middle of appends, asked to step down and killed with -9: all is acknowledged, nothing lost',
  { timeout: 120_000 },
  async () => {
    cluster = await startCluster({ gateways: 2, workers: 1, nats: 3 });
    onTestFailed(() => console.error(cluster.logTails()));
    const ada = await join('ada', 'hocuspocus-4', 0);
    const eve = await join('eve', 'hocuspocus-3', 1);
    const bob = await join('bob', 'y-websocket', 1);
    const afterwards = async (): Promise<void> => {
      await Promise.all([ada, eve].map(({ user }) => user.untilAcknowledged()));
      await untilEqual([ada, eve, bob].map(({ user }) => user.doc));
    };

    const before = await leaderOf();
    await whileTyping([ada, eve], async () => {
      await withNats((_, connection) => connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`).then(() => undefined));
      await until(async () => ![before, ''].includes(await leaderOf().catch(() => '')), 'there is another leader');
    });
    await afterwards();

    const leader = await leaderOf();
    const killed = cluster.nats.servers[Number(leader.replace('test-', ''))]!;
    await whileTyping([ada, eve], async () => {
      await killed.kill();
      await until(async () => ![leader, ''].includes(await leaderOf().catch(() => '')), 'there is another leader');
    });
    await afterwards();
    await killed.start();
    await Promise.all([ada, eve].map((writer) => writer.typeAcknowledged(5)));
    await afterwards();
    for (const writer of [ada, eve]) expect(writer.missingIn(bob.user.doc)).toEqual([]);
    // A leader that goes is nothing a client sees.
    expect([ada, eve].map(({ user }) => user.tally)).toMatchObject([
      { sockets: 1, surplus: 0 },
      { sockets: 1, surplus: 0 },
    ]);
    await untilStored(cluster, 'leader', ada.user.doc);
  },
);
