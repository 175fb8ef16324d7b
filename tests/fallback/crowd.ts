import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../harness/cluster.ts';
import { untilEqual } from '../harness/gathering.ts';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import type { Random } from '../harness/random.ts';
import { User, type UserKind, userKinds } from '../harness/users.ts';
import { RoundRobin } from './round-robin.ts';
import { weftSockets } from './weft-sockets.ts';

const acknowledgingKinds = ['hocuspocus-4', 'hocuspocus-3'] as const;
const withinMs = 120_000;
const awayMs = 3000;

export interface CrowdOptions {
  readonly clients: number;
  /** Of them, so many write in documents of their own, and half of those vanish with the gateway: nobody brings back for them what the house has lost. */
  readonly alone: number;
  readonly documents: number;
  readonly edits: number;
  readonly editsPerSecond: number;
  readonly random: Random;
  readonly say: (line: string) => void;
}

export interface CrowdReport {
  readonly acknowledged: number;
  /** Acknowledged entries that a fresh reader lacks. */
  readonly lost: readonly string[];
  /** Somebody heard more answers than they had asked, or a refusal. */
  readonly wronglyAnswered: readonly string[];
  readonly vanished: number;
  /** Connections that each client made, together. */
  readonly connections: number;
  readonly requests: ReadonlyMap<number, number>;
  readonly killedAfterMs: number;
  readonly equalAfterMs: number;
}

interface Seat {
  readonly writer: LedgerWriter;
  readonly document: string;
  readonly isAlone: boolean;
  readonly sockets: { made: number };
}

/** Issue 6, Shows 2: clients by the fallback alone, behind a load balancer that remembers nobody; the first gateway is killed in the middle, and comes back. */
export async function crowd(cluster: Cluster, options: CrowdOptions): Promise<CrowdReport> {
  const { edits, editsPerSecond, say } = options;
  const balancer = new RoundRobin(cluster.gateways.map(({ port }) => port));
  const token = await cluster.token();
  const seats = Array.from({ length: options.clients }, (_, i) => seat(i, options, { url: cluster.url(0), token, fetch: balancer.fetch }));
  const vanished = new Set<Seat>();
  try {
    await Promise.all(seats.map(({ writer }) => writer.user.untilSynced(withinMs)));
    say(`${seats.length} clients are in, ${[...balancer.requests].map(([port, count]) => `${count} requests to ${port}`).join(', ')}`);
    const startedMs = performance.now();
    let killedAfterMs = 0;
    let back: Promise<void> | undefined;
    for (let made = 0; made < edits; made++) {
      if (made === Math.floor(edits / 2)) {
        killedAfterMs = performance.now() - startedMs;
        for (const one of seats.filter(({ isAlone }) => isAlone)) if (vanished.size * 2 < options.alone) vanish(one);
        await cluster.gateways[0]!.kill();
        say(`after ${made} edits a gateway was killed, and ${vanished.size} of those who write alone are gone`);
        back = sleep(awayMs).then(() => cluster.gateways[0]!.start());
      }
      const here = seats.filter((one) => !vanished.has(one));
      here[made % here.length]!.writer.type();
      const aheadMs = (made / editsPerSecond) * 1000 - (performance.now() - startedMs);
      await (aheadMs > 0 ? sleep(aheadMs) : new Promise(setImmediate));
    }
    await back;
    const writtenMs = performance.now();
    const here = seats.filter((one) => !vanished.has(one));
    for (const { writer } of here) if (writer.user.tally) await writer.user.untilAcknowledged(withinMs);
    const documents = [...new Set(seats.map(({ document }) => document))];
    const lost: string[] = [];
    for (const document of documents)
      lost.push(
        ...(await missing(
          cluster,
          document,
          token,
          seats.filter((one) => one.document === document),
          vanished,
        )),
      );
    const wrongly = here.filter(({ writer: { user } }) => (user.tally?.surplus ?? 0) + (user.tally?.refused ?? 0) > 0);
    return {
      acknowledged: seats.reduce((sum, { writer }) => sum + writer.acknowledged, 0),
      lost,
      wronglyAnswered: wrongly.map(({ writer: { user } }) => `${user.name} ${JSON.stringify(user.tally)}`),
      vanished: vanished.size,
      connections: seats.reduce((sum, { sockets }) => sum + sockets.made, 0),
      requests: balancer.requests,
      killedAfterMs,
      equalAfterMs: performance.now() - writtenMs,
    };
  } finally {
    for (const one of seats) if (!vanished.has(one)) one.writer.user.leave();
  }

  function vanish(one: Seat): void {
    one.writer.user.crash();
    vanished.add(one);
  }
}

function seat(
  i: number,
  { clients, alone, documents, random }: CrowdOptions,
  way: { url: string; token: string; fetch: typeof fetch },
): Seat {
  const isAlone = i >= clients - alone;
  const document = isAlone ? `crowd-alone-${i}` : `crowd-${i % documents}`;
  const kind: UserKind = isAlone ? acknowledgingKinds[i % 2]! : userKinds[Math.floor(i / documents) % userKinds.length]!;
  const { url, token } = way;
  const sockets = { made: 0 };
  const polyfill = weftSockets({ WebSocket: null, fetch: way.fetch }, () => (sockets.made += 1));
  const writer = new LedgerWriter({ kind, name: `client-${i}`, url, document, token, sockets: polyfill }, random);
  return { document, isAlone, sockets, writer };
}

/** What was acknowledged and is not there for somebody who comes fresh, by WebSocket, to the gateway that was not killed; that the document is the same for them, too. */
async function missing(
  cluster: Cluster,
  document: string,
  token: string,
  writers: readonly Seat[],
  vanished: ReadonlySet<Seat>,
): Promise<string[]> {
  const reader = new User({ kind: 'hocuspocus-4', name: 'reader', url: cluster.url(1), document, token });
  try {
    await reader.untilSynced();
    const here = writers.filter((one) => !vanished.has(one));
    await untilEqual([reader.doc, ...here.map(({ writer }) => writer.user.doc)], withinMs);
    return writers.flatMap(({ writer }) => writer.missingIn(reader.doc));
  } finally {
    reader.leave();
  }
}
