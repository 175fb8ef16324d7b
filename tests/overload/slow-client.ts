import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as Y from 'yjs';
import type { Cluster } from '../harness/cluster.ts';
import { residentMemory } from '../harness/memory.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { LightClient } from './light-client.ts';
import { metric } from './metric.ts';
import { ThrottledLine } from './throttle.ts';

const document = 'busy';
const lookEveryMs = 250;

export interface SlowClientOptions {
  readonly writers: number;
  /** Of all of them together. */
  readonly editsPerSecond: number;
  readonly pageBytes: number;
  readonly warmMs: number;
  /** How long each part lasts: without the slow client, with it, and again without. */
  readonly quietMs: number;
  readonly slowMs: number;
  readonly bytesPerSecond: number;
}

export interface Part {
  /** From a writer to a reader at the same gateway, and to one at the other, ms. */
  readonly near: number[];
  readonly far: number[];
  readonly acks: number[];
  residentMax: number;
  unsentMax: number;
}

export interface SlowClientResult {
  readonly before: Part;
  readonly slow: Part;
  readonly after: Part;
  /** Bytes that went to each reader of the document meanwhile, and to the slow one. */
  readonly writtenBytes: number;
  readonly carriedBytes: number;
  /** From the moment the line was free until the slow one had everything. */
  readonly equalAfterMs: number;
  readonly drops: readonly string[];
}

/** A busy document on a gateway, and somebody in it whose line carries almost nothing: what the gateway and the others notice. */
export async function slowClient(cluster: Cluster, options: SlowClientOptions): Promise<SlowClientResult> {
  const token = await cluster.token();
  const gateway = cluster.gateways[0]!;
  const parts = { before: newPart(), slow: newPart(), after: newPart() };
  let part: Part | undefined;
  const writers = Array.from(
    { length: options.writers },
    () =>
      new LightClient({ document, token, urls: [cluster.url(0)], onAcknowledged: (sentAtMs, atMs) => part?.acks.push(atMs - sentAtMs) }),
  );
  const sent = new Map(writers.map((writer) => [writer.doc.clientID, [] as { clock: number; atMs: number }[]]));
  const reader = (url: string, take: (ms: number) => void): LightClient => {
    const next = new Map<number, number>();
    const client: LightClient = new LightClient({
      document,
      token,
      urls: [url],
      onNews: () => {
        const nowMs = performance.now();
        for (const [id, edits] of sent) {
          const clock = client.has(id);
          for (let at = next.get(id) ?? 0; ; at++) {
            const edit = edits[at];
            if (edit === undefined || edit.clock > clock) {
              next.set(id, at);
              break;
            }
            take(nowMs - edit.atMs);
          }
        }
      },
    });
    return client;
  };
  const near = reader(cluster.url(0), (ms) => part?.near.push(ms));
  const far = reader(cluster.url(1), (ms) => part?.far.push(ms));
  const line = await ThrottledLine.to(cluster.url(0), options.bytesPerSecond);
  const everybody = [...writers, near, far];
  try {
    await until('everybody is synced', () => everybody.every((client) => client.isSynced));
    const stopWriting = write(writers, sent, options);
    await sleep(options.warmMs);

    part = parts.before;
    await watch(gateway, part, options.quietMs);
    part = undefined;
    const slow = new LightClient({ document, token, urls: [line.url] });
    everybody.push(slow);
    await until('the slow one is synced', () => slow.isSynced);
    line.narrow();
    const carriedBefore = line.carriedBytes;
    const writtenBefore = written(sent, options);
    part = parts.slow;
    await watch(gateway, part, options.slowMs);
    part = undefined;
    const writtenBytes = written(sent, options) - writtenBefore;
    const carriedBytes = line.carriedBytes - carriedBefore;
    line.free();
    const freedMs = performance.now();
    // While the others go on: it is up to date when it has all that was written by the time it was free.
    const vector = Y.decodeStateVector(Y.encodeStateVector(near.doc));
    await until('the slow one has what was written meanwhile', () => [...vector].every(([id, clock]) => slow.has(id) >= clock), 60_000);
    const equalAfterMs = performance.now() - freedMs;
    part = parts.after;
    await watch(gateway, part, options.quietMs);
    part = undefined;
    stopWriting();
    await until('all is acknowledged', () => writers.every((writer) => writer.unacknowledged === 0));
    await until('all are equal', () => new Set(everybody.map(({ content }) => content)).size === 1);
    const drops = everybody.flatMap((client) => client.drops.map(({ code, reason }) => `${code} ${reason}`));
    return { ...parts, writtenBytes, carriedBytes, equalAfterMs, drops };
  } finally {
    for (const client of everybody) client.leave();
    line.close();
  }
}

/** One page after the other, each writer its own. Gives what stops it. */
function write(
  writers: readonly LightClient[],
  sent: ReadonlyMap<number, { clock: number; atMs: number }[]>,
  { editsPerSecond, pageBytes }: SlowClientOptions,
): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    const writer = writers[turn++ % writers.length]!;
    // Hex of noise: nothing on the way could make it smaller.
    writer.replace(randomBytes(pageBytes / 2).toString('hex'));
    sent.get(writer.doc.clientID)!.push({ clock: writer.has(writer.doc.clientID), atMs: performance.now() });
  }, 1000 / editsPerSecond);
  return () => clearInterval(timer);
}

async function watch(gateway: ServiceProcess, part: Part, ms: number): Promise<void> {
  for (const endMs = performance.now() + ms; performance.now() < endMs; await sleep(lookEveryMs)) {
    part.residentMax = Math.max(part.residentMax, residentMemory(gateway.pid));
    part.unsentMax = Math.max(part.unsentMax, await metric(gateway, 'weft_gateway_unsent_bytes'));
  }
}

const newPart = (): Part => ({ near: [], far: [], acks: [], residentMax: 0, unsentMax: 0 });

function written(sent: ReadonlyMap<number, readonly unknown[]>, { pageBytes }: SlowClientOptions): number {
  return [...sent.values()].reduce((sum, edits) => sum + edits.length * pageBytes, 0);
}

async function until(what: string, condition: () => boolean, withinMs = 30_000): Promise<void> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(20)) if (condition()) return;
  throw new Error(`within ${withinMs} ms it did not come that ${what}`);
}
