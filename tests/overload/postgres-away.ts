import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../harness/cluster.ts';
import { residentMemory } from '../harness/memory.ts';
import { untilStored } from '../harness/stored-content.ts';
import { LightClient } from './light-client.ts';
import { join, type Load, type Sample } from './load.ts';
import { metric } from './metric.ts';

const lookEveryMs = 1_000;
const joinEveryMs = 5_000;
const coldDocument = 'cold';
const storedWithinMs = 120_000;

export interface AwayOptions {
  readonly quietMs: number;
  readonly awayMs: number;
  /** Whether a document that has to be read from Postgres is opened meanwhile: its workers are started anew before. */
  readonly cold: boolean;
}

export interface AwayResult {
  /** Of edits made before, and of those made while Postgres was away, ms. */
  readonly quietAcks: number[];
  readonly awayAcks: number[];
  /** Acknowledgements that came while Postgres was away, but for its first second. */
  readonly acknowledgedAway: number;
  /** Newcomers to documents that are open, while Postgres was away, ms. */
  readonly joins: number[];
  /** A document that has to be read from Postgres was not served, not as an empty one either; afterwards it was, with its text. */
  readonly cold: { readonly waited: boolean; readonly servedMs: number } | undefined;
  /** By service, bytes: before, and the most while Postgres was away. */
  readonly resident: ReadonlyMap<string, { readonly before: number; readonly most: number }>;
  /** Records in the log above the floor, the most. */
  readonly backlogRecords: number;
  /** Edits taken and not acknowledged, the most of any gateway, bytes. */
  readonly unacknowledgedMax: number;
  /** From Postgres being back until it had everything that was made. */
  readonly storedAfterMs: number;
  readonly refusals: number;
  readonly otherDrops: readonly string[];
}

/** Postgres is killed under a load that goes on, and comes back after a while. */
export async function postgresAway(cluster: Cluster, load: Load, options: AwayOptions): Promise<AwayResult> {
  const token = await cluster.token();
  const { quietMs, awayMs } = options;
  if (options.cold) await makeCold(cluster, token);
  load.start();
  await sleep(quietMs);
  const before = await look(cluster);
  const resident = new Map([...before.resident].map(([id, bytes]) => [id, { before: bytes, most: bytes }]));
  let [backlogRecords, unacknowledgedMax] = [0, 0];
  const awayAtMs = performance.now();
  await cluster.postgres.kill();
  const stranger = options.cold ? new LightClient({ document: coldDocument, token, urls: [cluster.url(0)] }) : undefined;
  const joins: number[] = [];
  let joinAtMs = awayAtMs;
  for (; performance.now() - awayAtMs < awayMs; await sleep(lookEveryMs)) {
    const now = await look(cluster);
    for (const [id, bytes] of now.resident) {
      const known = resident.get(id)!;
      resident.set(id, { ...known, most: Math.max(known.most, bytes) });
    }
    backlogRecords = Math.max(backlogRecords, now.backlogRecords);
    unacknowledgedMax = Math.max(unacknowledgedMax, now.unacknowledgedBytes);
    if (performance.now() < joinAtMs) continue;
    joinAtMs = performance.now() + joinEveryMs;
    joins.push(await join({ url: cluster.url(joins.length), document: load.documents[joins.length % load.documents.length]!, token }));
  }
  const waited = stranger !== undefined && !stranger.isSynced && stranger.doc.getText('t').length === 0;
  const backAtMs = performance.now();
  const acknowledgedAway = load.acks.filter(({ atMs }) => atMs >= awayAtMs + lookEveryMs).length;
  await cluster.postgres.start();
  const startedMs = performance.now();
  const cold = stranger && { waited, servedMs: await served(stranger) };
  await sleep(quietMs);
  load.stop();
  await load.untilSettled(storedWithinMs);
  for (const [i, document] of load.documents.entries()) await untilStored(cluster, document, load.clients[2 * i]!.doc, storedWithinMs);
  const drops = load.clients.flatMap((client) => client.drops);
  return {
    quietAcks: took(load.acks, awayAtMs - quietMs, awayAtMs),
    awayAcks: took(load.acks, awayAtMs, backAtMs),
    acknowledgedAway,
    joins,
    cold,
    resident,
    backlogRecords,
    unacknowledgedMax,
    storedAfterMs: performance.now() - startedMs,
    refusals: drops.filter(({ code }) => code === 1013).length,
    otherDrops: drops.filter(({ code }) => code !== 1013).map(({ code, reason }) => `${code} ${reason}`),
  };
}

/** A document Postgres has and no worker holds. */
async function makeCold(cluster: Cluster, token: string): Promise<void> {
  const author = new LightClient({ document: coldDocument, token, urls: [cluster.url(0)] });
  await until('a document is open', () => author.isSynced);
  for (let i = 0; i < 5; i++) author.type();
  await until('it is acknowledged', () => author.unacknowledged === 0);
  await untilStored(cluster, coldDocument, author.doc);
  author.leave();
  // A worker that starts anew knows of it by the database alone.
  for (const worker of cluster.workers) {
    await worker.kill();
    await worker.start();
  }
  await sleep(2_000);
}

/** How long until the document is there, with its text, ms. */
async function served(stranger: LightClient): Promise<number> {
  const startedMs = performance.now();
  await until('the document that was not open is served', () => stranger.isSynced && stranger.doc.getText('t').length > 0);
  stranger.leave();
  return performance.now() - startedMs;
}

interface Look {
  readonly resident: ReadonlyMap<string, number>;
  readonly backlogRecords: number;
  readonly unacknowledgedBytes: number;
}

async function look(cluster: Cluster): Promise<Look> {
  const resident = new Map(cluster.services.map((service) => [service.id, residentMemory(service.pid)]));
  const unacknowledged = await Promise.all(cluster.gateways.map((gateway) => metric(gateway, 'weft_gateway_unacknowledged_bytes')));
  const backlog = await Promise.all(cluster.persistence.map((one) => metric(one, 'weft_persistence_lag_records')));
  return { resident, backlogRecords: Math.max(...backlog), unacknowledgedBytes: Math.max(...unacknowledged) };
}

function took(acks: readonly Sample[], fromMs: number, toMs: number): number[] {
  return acks.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs).map(({ sentAtMs, atMs }) => atMs - sentAtMs);
}

async function until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(20)) if (condition()) return;
  throw new Error(`within ${withinMs} ms it did not come that ${what}`);
}
