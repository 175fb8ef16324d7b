import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { forgetPeak, peakMemory, residentMemory } from '../harness/memory.ts';
import { User } from '../harness/users.ts';

/**
 * Issue 3, Shows 7: a document of 50 MB made by real edits loads, syncs to new clients, and survives a restart; twenty people joining at once cost
 * the gateway and the worker less than four times its bytes. What a process takes that holds no document is not what the document costs: some 100 MB, as much as it likes of it garbage.
 */
const megabytes = Number(process.env['WEFT_TEST_MEGABYTES'] ?? 50);
const joiners = 20;
/** Typed into the document between pastes of 1 MB, so that it is not one long run. */
const keystrokesPerPaste = 100;
const document = 'large';
const paste = 'All human beings are born free and equal in dignity and rights. '.repeat(15_625);
const withinMs = 120_000;
const mebibyte = 1 << 20;

let cluster: Cluster;
let token: string;

beforeAll(async () => {
  cluster = await startCluster({ gateways: 1, workers: 1 });
  token = await cluster.token({ documents: document });
});
afterAll(() => cluster?.kill());

const person = (i: number): User =>
  new User({ kind: i % 2 === 0 ? 'hocuspocus-4' : 'y-websocket', name: `user-${i}`, url: cluster.url(i), document, token });

async function write(): Promise<number> {
  const writer = person(0);
  await writer.untilSynced();
  const text = writer.doc.getText('text');
  for (let i = 0; i < megabytes; i++) {
    text.insert(i % 3 === 0 ? 0 : text.length, paste);
    for (let key = 0; key < keystrokesPerPaste; key++) text.insert((key * 104_729) % text.length, 'x');
    await writer.untilAcknowledged(withinMs);
  }
  const { length } = text;
  writer.leave();
  return length;
}

/** Resolves with the document's bytes in Postgres once all of it is there: most of it compacted, the rest as rows. */
async function stored(bytes: number): Promise<number> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(500)) {
    const { snapshot, tail } = await cluster.withStore((store) => store.loadDocument(document, 0));
    const size = [...snapshot.pieces, ...tail].reduce((sum, update) => sum + update.byteLength, 0);
    if (size >= bytes && snapshot.pieces.length > 0) return size;
  }
  throw new Error(`the document was not in Postgres within ${withinMs} ms`);
}

async function joinAll(count: number): Promise<{ lengths: Set<number>; ms: number }> {
  const startedMs = performance.now();
  const users = Array.from({ length: count }, (_, i) => person(i));
  await Promise.all(users.map((user) => user.untilSynced(withinMs)));
  const ms = performance.now() - startedMs;
  const lengths = new Set(users.map((user) => user.doc.getText('text').length));
  for (const user of users) user.leave();
  return { lengths, ms };
}

test(`a document of ${megabytes} MB`, { timeout: 480_000 }, async () => {
  onTestFailed(() => console.log(cluster.logTails()));
  const length = await write();
  expect(length).toBeGreaterThanOrEqual(megabytes * 1_000_000);
  const bytes = await stored(length);

  // Survives: every process of ours is killed, and another worker reads it from Postgres.
  await Promise.all(cluster.services.map((service) => service.kill()));
  await cluster.startServices();
  const measured = [cluster.gateways[0]!, cluster.workers[0]!].map((service) => ({ service, idle: residentMemory(service.pid) }));
  expect((await joinAll(1)).lengths).toEqual(new Set([length]));

  for (const { service } of measured) forgetPeak(service.pid);
  const { lengths, ms } = await joinAll(joiners);
  expect(lengths).toEqual(new Set([length]));
  const mb = (value: number): string => `${Math.round(value / mebibyte)} MiB`;
  console.log(`${joiners} people joined a document of ${mb(bytes)} in ${Math.round(ms)} ms`);
  for (const { service, idle } of measured) {
    const cost = peakMemory(service.pid) - idle;
    console.log(`${service.id}: ${mb(cost)} at most over its ${mb(idle)} without it, ${(cost / bytes).toFixed(2)} times the document`);
    expect(cost).toBeLessThan(3 * bytes);
  }
});
