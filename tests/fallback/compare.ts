import { setTimeout as sleep } from 'node:timers/promises';
import { Typist } from '../chaos/typist.ts';
import type { Cluster } from '../harness/cluster.ts';
import { randomFrom } from '../harness/random.ts';
import { User, type UserOptions } from '../harness/users.ts';
import { CountingProxy } from './counting-proxy.ts';
import { RoundRobin } from './round-robin.ts';
import { weftSockets } from './weft-sockets.ts';

export const ways = ['websocket', 'fallback'] as const;
export type Way = (typeof ways)[number];

export interface CompareOptions {
  /** Of each way: one who writes, one who reads, a document of their own. */
  readonly pairs: number;
  /** Of each writer. */
  readonly editsPerSecond: number;
  readonly seconds: number;
}

export interface Figures {
  readonly edits: number;
  /** From edit to acknowledgement, from edit to sight. */
  readonly acknowledgedMs: readonly number[];
  readonly seenMs: readonly number[];
  /** Between all clients of this way and the gateways, both directions. */
  readonly upBytes: number;
  readonly downBytes: number;
}

interface Pair {
  readonly typist: Typist;
  readonly reader: User;
  readonly seenMs: number[];
}

/** Issue 6, Shows 3: WebSocket and fallback side by side, on the same gateways at the same time, each through wires of its own that count. */
export async function compare(cluster: Cluster, options: CompareOptions): Promise<Record<Way, Figures>> {
  const [websocket, fallback] = await Promise.all(ways.map((way) => Side.of(cluster, way, options.pairs)));
  try {
    for (const side of [websocket!, fallback!]) side.begin();
    const { editsPerSecond, seconds } = options;
    const turns = Math.round(editsPerSecond * seconds);
    const startedMs = performance.now();
    for (let turn = 0; turn < turns; turn++)
      for (let pair = 0; pair < options.pairs; pair++) {
        for (const side of [websocket!, fallback!]) side.type(pair);
        const aheadMs = ((turn + (pair + 1) / options.pairs) / editsPerSecond) * 1000 - (performance.now() - startedMs);
        if (aheadMs > 0) await sleep(aheadMs);
      }
    return { websocket: await websocket!.figures(), fallback: await fallback!.figures() };
  } finally {
    for (const side of [websocket, fallback]) side?.stop();
  }
}

class Side {
  readonly #pairs: readonly Pair[];
  readonly #wires: readonly CountingProxy[];
  #before = { up: 0, down: 0 };

  private constructor(pairs: readonly Pair[], wires: readonly CountingProxy[]) {
    this.#pairs = pairs;
    this.#wires = wires;
  }

  static async of(cluster: Cluster, way: Way, pairs: number): Promise<Side> {
    const wires = await Promise.all(cluster.gateways.map(({ port }) => CountingProxy.to(port)));
    const balancer = new RoundRobin(wires.map(({ port }) => port));
    const token = await cluster.token();
    const sockets = way === 'websocket' ? { route: balancer.route } : weftSockets({ WebSocket: null, fetch: balancer.fetch });
    const common = { kind: 'hocuspocus-4', url: cluster.url(0), token, sockets } as const;
    const made = Array.from({ length: pairs }, (_, i) => pair({ ...common, document: `compare-${way}-${i}`, name: `${way}-${i}` }, i));
    await Promise.all(made.flatMap(({ typist, reader }) => [typist.writer.user.untilSynced(), reader.untilSynced()]));
    return new Side(made, wires);
  }

  /** What joining cost is not counted. */
  begin(): void {
    this.#before = this.#bytes();
  }

  type(pair: number): void {
    this.#pairs[pair]!.typist.type();
  }

  async figures(): Promise<Figures> {
    for (const { typist } of this.#pairs) await typist.writer.user.untilAcknowledged();
    const { up, down } = this.#bytes();
    const notes = this.#pairs.map(({ typist }) => typist.notes);
    return {
      edits: notes.reduce((sum, { madeMs }) => sum + madeMs.length, 0),
      acknowledgedMs: notes.flatMap(({ madeMs, acknowledgedMs }) => acknowledgedMs.map((ms, i) => ms - madeMs[i]!)),
      seenMs: this.#pairs.flatMap(({ typist, seenMs }) => seenMs.map((ms, i) => ms - typist.notes.madeMs[i]!)),
      upBytes: up - this.#before.up,
      downBytes: down - this.#before.down,
    };
  }

  stop(): void {
    for (const { typist, reader } of this.#pairs) for (const user of [typist.writer.user, reader]) user.leave();
    for (const wire of this.#wires) wire.stop();
  }

  #bytes(): { up: number; down: number } {
    const sum = (of: (wire: CountingProxy) => number): number => this.#wires.reduce((bytes, wire) => bytes + of(wire), 0);
    return { up: sum(({ upBytes }) => upBytes), down: sum(({ downBytes }) => downBytes) };
  }
}

function pair(options: UserOptions, seed: number): Pair {
  const typist = new Typist(options, randomFrom(seed));
  const reader = new User({ ...options, name: `${options.name}-reader` });
  const seenMs: number[] = [];
  // Each edit is one entry of the ledger.
  const ledger = reader.doc.getMap('ledger');
  ledger.observe(() => {
    const nowMs = performance.now();
    while (seenMs.length < ledger.size) seenMs.push(nowMs);
  });
  return { typist, reader, seenMs };
}
