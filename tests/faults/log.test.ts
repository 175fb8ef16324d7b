import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bus } from '@weft/bus';
import { decodeToGateway } from '@weft/protocol';
import { temporaryFolder } from '@weft/testkit';
import type * as Y from 'yjs';
import { afterEach, expect, onTestFailed, test } from 'vitest';
import { untilEqual } from '../harness/gathering.ts';
import type { LedgerWriter } from '../harness/ledger-writer.ts';
import { until } from '../limits/until.ts';
import { NatsHouse, type NatsHouseOptions } from './nats-house.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Issue 4: what the log may do to a running house. Others of these faults: libs/wal/src/jetstream.nats.test.ts, libs/wal/src/contract.test-suite.ts, tests/limits/log-away.test.ts. */
let house: NatsHouse;

afterEach(() => house.stop());

async function begin(options: NatsHouseOptions = {}): Promise<void> {
  house = await NatsHouse.start(options);
  onTestFailed(() => console.error(house.report()));
}

const docs = (...writers: LedgerWriter[]): Y.Doc[] => writers.map(({ user }) => user.doc);

/** Somebody who comes now, on either gateway, finds everything that was acknowledged, and nothing that waits for what is gone. */
async function untilAllFound(document: string, ...writers: LedgerWriter[]): Promise<void> {
  for (const gateway of [0, 1]) {
    const { doc } = await house.newcomer(gateway, document);
    await untilEqual([doc, ...docs(...writers)], 15_000);
    for (const writer of writers) expect(writer.missingIn(doc)).toEqual([]);
    expect(doc.store.pendingStructs).toBeNull();
  }
}

test('[L8] an append whose answer never comes is sent again: acknowledged once, and twice in the log', { timeout: 60_000 }, async () => {
  let proxy: TcpProxy | undefined;
  await begin({ logUrl: async (gateway, url) => (gateway === 0 ? (proxy = await TcpProxy.to(url)).url : url) });
  const ada = await house.writer('ada', 'hocuspocus-4', 0, 'answers');
  const eve = await house.writer('eve', 'y-websocket', 1, 'answers');
  await ada.typeAcknowledged(3);
  const before = (await house.wal.state(0)).last;
  proxy!.loseAnswers();
  ada.type();
  await until(async () => (await house.wal.state(0)).last > before, 'the record is in the log');
  expect(ada.user.isAcknowledged).toBe(false);
  proxy!.cut();
  await ada.user.untilAcknowledged();
  await untilEqual(docs(ada, eve));
  expect((await house.wal.state(0)).last).toBeGreaterThan(before + 1);
  expect(ada.user.tally).toMatchObject({ surplus: 0, sockets: 1 });
  await untilAllFound('answers', ada, eve);
  proxy!.close();
});

test('relays that core NATS drops are missed, asked for, and nobody stays behind', { timeout: 60_000 }, async () => {
  let dropped = 0;
  const relays = new Map<string, number>();
  const dropping = (real: Bus): Bus =>
    new Proxy(real, {
      get: (bus, name: keyof Bus) => {
        const value = bus[name];
        if (name !== 'publish') return typeof value === 'function' ? value.bind(bus) : value;
        return (subject: string, data: Uint8Array) => {
          const isRelay = subject.startsWith('weft.gateway.') && decodeToGateway(data).kind === 'relay';
          const before = relays.get(subject) ?? 0;
          if (isRelay) relays.set(subject, before + 1);
          // Of each gateway's every third: were all of one lost, it would give the worker up.
          if (isRelay && before % 3 === 1) dropped += 1;
          else bus.publish(subject, data);
        };
      },
    });
  await begin({ workerBus: dropping });
  const writers = [
    await house.writer('ada', 'hocuspocus-4', 0, 'relays'),
    await house.writer('bob', 'y-websocket', 0, 'relays'),
    await house.writer('eve', 'hocuspocus-3', 1, 'relays'),
  ];
  for (let i = 0; i < 60; i++) {
    writers[i % 3]!.type();
    if (i % 3 === 0) await writers[i % 2 === 0 ? 0 : 2]!.user.untilAcknowledged();
  }
  await untilEqual(docs(...writers), 25_000);
  expect(dropped).toBeGreaterThan(10);
  expect(house.logged('relay-lost')).toBeGreaterThan(0);
});

test('readers that lost their place, their consumers deleted at every turn, go on where they were', { timeout: 60_000 }, async () => {
  await begin({ persistence: true });
  const ada = await house.writer('ada', 'hocuspocus-4', 0, 'places');
  const eve = await house.writer('eve', 'y-websocket', 1, 'places');
  let deleted = 0;
  for (let i = 0; i < 5; i++) {
    await ada.typeAcknowledged(5);
    eve.type();
    deleted += await house.managed(async (manager) => {
      const consumers = await manager.consumers.list('WEFT_LOG_0').next();
      for (const { name } of consumers) await manager.consumers.delete('WEFT_LOG_0', name);
      return consumers.length;
    });
  }
  await ada.typeAcknowledged(5);
  await untilEqual(docs(ada, eve));
  expect(deleted).toBeGreaterThanOrEqual(5);
  await untilAllFound('places', ada, eve);
  expect(house.logged('REPLACED')).toBe(0);
});

test.each([
  ['its stream deleted', () => house.managed(async (manager) => void (await manager.streams.delete('WEFT_LOG_0')))],
  ['the disk of NATS wiped while it was away', () => house.wipeNats()],
])(
  '[I1] a log that is lost under a running house (%s): what was acknowledged and is nowhere else comes back from those who have it',
  { timeout: 60_000 },
  async (_, lose) => {
    // Nothing is in Postgres: the log and the people have it.
    await begin();
    const ada = await house.writer('ada', 'hocuspocus-4', 0, 'both');
    const bob = await house.writer('bob', 'hocuspocus-3', 1, 'both');
    // Documents that one person alone has open: nobody else could bring them back.
    const eve = await house.writer('eve', 'y-websocket', 1, 'hers');
    const gus = await house.writer('gus', 'hocuspocus-4', 0, 'his');
    for (let i = 0; i < 10; i++) eve.type();
    await Promise.all([ada, bob, gus].map((writer) => writer.typeAcknowledged(10)));
    await untilEqual(docs(ada, bob));
    const { identity } = await house.wal.state(0);
    await lose();
    // What is typed now builds on what is lost.
    for (const writer of [ada, bob, eve, gus]) writer.type();
    await Promise.all([ada, bob, gus].map(({ user }) => user.untilAcknowledged()));
    expect((await house.wal.state(0)).identity).not.toBe(identity);
    await untilAllFound('both', ada, bob);
    await untilAllFound('hers', eve);
    await untilAllFound('his', gus);
    // Nobody was sent away, and nobody's count of unsaved edits went wrong.
    for (const { user } of [ada, bob, gus]) expect(user.tally).toMatchObject({ sockets: 1, surplus: 0 });
    await gus.typeAcknowledged(3);
  },
);

test(
  '[I2] a log that went backwards under its identity (a backup put back): work goes on, nothing acknowledged is lost',
  { timeout: 60_000 },
  async () => {
    await begin({ persistence: true });
    const ada = await house.writer('ada', 'hocuspocus-4', 0, 'back');
    // Types nothing: the gateway knows of the log's end by relays alone.
    const bob = await house.writer('bob', 'hocuspocus-3', 1, 'back');
    const gus = await house.writer('gus', 'hocuspocus-4', 0, 'his');
    await Promise.all([ada, gus].map((writer) => writer.typeAcknowledged(5)));
    const backup = join(temporaryFolder('backup'), 'store');
    await house.nats.stop();
    await cp(house.storeDir, backup, { recursive: true });
    await house.nats.start();
    await house.stopPersistence();
    for (let i = 0; i < 20; i++) await Promise.all([ada, gus].map((writer) => writer.typeAcknowledged(1)));
    await untilEqual(docs(ada, bob));
    const { identity } = await house.wal.state(0);
    await house.wipeNats((storeDir) => cp(backup, storeDir, { recursive: true }));
    await rm(backup, { recursive: true });
    await house.startPersistence();
    for (const writer of [ada, gus]) writer.type();
    await Promise.all([ada, gus].map(({ user }) => user.untilAcknowledged()));
    await untilAllFound('back', ada, bob);
    await untilAllFound('his', gus);
    expect((await house.wal.state(0)).identity).not.toBe(identity);
    // In Postgres too, where the floor was of the log before.
    await until(async () => {
      const stored = await house.storedDocument('his');
      return gus.missingIn(stored).length === 0 && stored.store.pendingStructs === null;
    }, 'Postgres has it');
  },
);
