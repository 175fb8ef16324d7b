import { setTimeout as sleep } from 'node:timers/promises';
import { assign, partitionOf } from '@weft/ring';
import type { Cluster } from '../harness/cluster.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { join, type Load, type Relayed, type Sample } from './load.ts';

/** WEFT_PARTITIONS, as the harness leaves it. */
const partitions = 128;
/** Until everybody has noticed that a worker is back and has taken its documents over from the others. */
const settleMs = 3_000;
const joinersMax = 10;

export interface TakeoverRound {
  /** Acknowledgements before and after the deed, as long each, ms. */
  readonly quietAcks: readonly number[];
  readonly acks: readonly number[];
  /** For each document of the worker: from the deed until the first edit made after it was seen on the other gateway, both ways, ms. */
  readonly relaysAgain: readonly number[];
  /** Edits made after the deed in its documents: how long each took to be seen, ms. */
  readonly relays: readonly number[];
  /** Newcomers to its documents, who come all at once before the deed, and at its moment. */
  readonly quietJoins: readonly number[];
  readonly joins: readonly number[];
  /** How many documents were the worker's. */
  readonly documents: number;
  /** From SIGTERM to the end of the process; undefined for a kill. */
  readonly leftMs: number | undefined;
}

/** Takes workers away under load and brings them back, and says what the people noticed. */
export class Takeover {
  readonly #cluster: Cluster;
  readonly #load: Load;
  readonly #token: string;
  readonly #lookMs: number;

  /** `lookMs`: how long people are watched before and after a worker goes; longer than any takeover should take. */
  constructor(cluster: Cluster, load: Load, { token, lookMs }: { readonly token: string; readonly lookMs: number }) {
    this.#cluster = cluster;
    this.#load = load;
    this.#token = token;
    this.#lookMs = lookMs;
  }

  async round(worker: ServiceProcess, how: 'kill' | 'stop'): Promise<TakeoverRound> {
    const owned = this.#ownedBy(worker);
    const quietFromMs = performance.now();
    const quietJoins = this.#join(owned);
    await sleep(this.#lookMs);
    const atMs = performance.now();
    const ended = worker[how]().then(() => performance.now() - atMs);
    const joins = this.#join(owned);
    await sleep(this.#lookMs);
    const endMs = performance.now();
    const leftMs = await ended;
    const joined = [await quietJoins, await joins] as const;
    await worker.start();
    // By now everything made until `endMs` was answered, or never will be.
    await sleep(settleMs);
    const { acks, relays } = this.#load;
    return {
      quietAcks: took(acks, quietFromMs, atMs),
      acks: took(acks, atMs, endMs),
      relaysAgain: owned.flatMap((document) => firstSeenAfter(relays, document, atMs)),
      relays: took(
        relays.filter(({ document }) => owned.includes(document)),
        atMs,
        endMs,
      ),
      quietJoins: joined[0],
      joins: joined[1],
      documents: owned.length,
      leftMs: how === 'stop' ? leftMs : undefined,
    };
  }

  #join(documents: readonly string[]): Promise<number[]> {
    return Promise.all(
      documents.slice(0, joinersMax).map((document, i) => join({ url: this.#cluster.url(i), document, token: this.#token })),
    );
  }

  /** Workers run with these numbers, one after the other. */
  async scale(steps: readonly number[]): Promise<void> {
    for (const count of steps) {
      const { workers } = this.#cluster;
      const coming = workers.slice(0, count).filter((worker) => !worker.runs);
      await Promise.all(coming.map((worker) => worker.start()));
      await Promise.all(workers.slice(count).map((worker) => worker.stop()));
      await sleep(settleMs);
    }
  }

  async roll(services: readonly ServiceProcess[]): Promise<void> {
    for (const service of services) {
      await service.stop();
      await service.start();
      await sleep(settleMs);
    }
  }

  /** The workers that run, as everybody who hears their heartbeats assigns the partitions. */
  #ownedBy(worker: ServiceProcess): string[] {
    const ids = this.#cluster.workers.filter(({ runs }) => runs).map(({ id }) => id);
    const owners = assign(partitions, ids);
    return this.#load.documents.filter((document) => owners[partitionOf(document, partitions)] === worker.id);
  }
}

/** Of edits made in this time: from the edit to the sample. */
function took(samples: readonly Sample[], fromMs: number, toMs: number): number[] {
  return samples.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs).map(({ sentAtMs, atMs }) => atMs - sentAtMs);
}

/** For both ways of a document: until the first edit made after this moment was seen. Infinity: never. */
function firstSeenAfter(relays: readonly Relayed[], document: string, afterMs: number): number[] {
  return [0, 1].map((from) => {
    const seen = relays.find((sample) => sample.document === document && sample.from === from && sample.sentAtMs >= afterMs);
    return seen ? seen.atMs - afterMs : Number.POSITIVE_INFINITY;
  });
}
