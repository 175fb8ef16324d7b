import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import { untilEqual } from './gathering.ts';
import { LedgerWriter } from './ledger-writer.ts';
import type { Random } from './random.ts';
import type { ServiceProcess } from './service-process.ts';
import { storedDocument, untilStored } from './stored-content.ts';
import { until } from './until.ts';
import { User, userKinds } from './users.ts';

export const victims = ['gateway', 'sync-worker', 'persistence', 'auth', 'nats', 'postgres'] as const;
export type Victim = (typeof victims)[number];

const sharedDocument = 'crash-shared';
const loneWriters = 3;
/** One of the people who type on and on does so this often. */
const typeEveryMs = 25;
/** Somebody away for so long at most before it is started again: work is tried meanwhile. */
const awayMsMax = 2_000;
/** A provider waits up to 30 s between two attempts (protocol.md), and services start from their sources here. */
const recoveredWithinMs = 60_000;
const lookEveryMs = 100;
/** Far above what it takes, far below what a wait for Postgres would be. */
const acknowledgedWithinMs = 3_000;

export interface Round {
  readonly victim: string;
  /** Edits acknowledged to people who were gone for good the moment it was killed. */
  readonly promised: number;
  readonly downMs: number;
  readonly recoveredMs: number;
}

/**
 * Rounds of: people type, something is killed with -9 right after an acknowledgement, it comes back; every acknowledged edit must be there.
 *
 * People who share a document and come back would hide a loss, because each brings the whole document along. So besides them, in each round a few
 * people write alone, each in a new document, and are gone for good at the moment of the kill: only the house can still have what was acknowledged to them.
 */
export class CrashRounds {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #token: string;
  readonly #sharers: LedgerWriter[];
  #typing: AbortController | undefined;
  #round = 0;

  private constructor(cluster: Cluster, random: Random, token: string) {
    this.#cluster = cluster;
    this.#random = random;
    this.#token = token;
    // Each kind on each gateway.
    this.#sharers = Array.from(
      { length: 2 * userKinds.length },
      (_, i) =>
        new LedgerWriter(
          this.#options(`sharer-${i}`, sharedDocument, userKinds[i % userKinds.length]!, Math.floor(i / userKinds.length)),
          random,
        ),
    );
  }

  static async begin(cluster: Cluster, random: Random): Promise<CrashRounds> {
    const rounds = new CrashRounds(cluster, random, await cluster.token());
    await Promise.all(rounds.#sharers.map(({ user }) => user.untilSynced()));
    return rounds;
  }

  /** `how`: what the victim is ended with, right after an acknowledgement. */
  async run(victim: Victim, how: 'kill' | 'stop' = 'kill'): Promise<Round> {
    this.#round += 1;
    const typing = this.#shareTyping();
    try {
      const alone = await this.#loneWriters();
      const target = this.#target(victim);
      // The first to have its last acknowledgement is the signal; what the others were promised by then counts as well.
      await Promise.any(alone.map((writer) => this.#typeAlone(writer)));
      const killed = target[how]();
      for (const { user } of alone) user.crash();
      const killedMs = performance.now();
      await killed;
      await sleep(this.#random.int(awayMsMax));
      await target.start();
      const downMs = performance.now() - killedMs;
      typing.abort();
      for (const writer of alone) await this.#isAllThere(writer);
      await this.#sharersAreWhole();
      const promised = alone.reduce((sum, writer) => sum + writer.acknowledged, 0);
      return { victim: target.name, promised, downMs, recoveredMs: performance.now() - killedMs };
    } finally {
      typing.abort();
    }
  }

  /**
   * Postgres is away for `awayMs`: people go on, acknowledgements come as ever, an open document takes in newcomers. A document nobody has open cannot be read: who opens
   * it waits, and is not shown an empty one.
   */
  async postgresAway(awayMs: number): Promise<Round> {
    this.#round += 1;
    const { postgres } = this.#cluster;
    const [writer, stranger] = await this.#loneWriters();
    if (!writer || !stranger) throw new Error('a round has lone writers');
    await stranger.typeAcknowledged(5);
    const unread = await this.#unreadDocument();
    const typing = this.#shareTyping();
    try {
      const killedMs = performance.now();
      await postgres.kill();
      const visitor = new User(this.#options('visitor', sharedDocument, 'hocuspocus-4', this.#random.int(2)));
      const early = new User(this.#options('early', unread.document, 'hocuspocus-4', this.#random.int(2)));
      await visitor.untilSynced(acknowledgedWithinMs);
      visitor.leave();
      for (; performance.now() - killedMs < awayMs; await sleep(typeEveryMs)) {
        writer.type();
        await writer.user.untilAcknowledged(acknowledgedWithinMs);
      }
      if (early.isSynced) throw new Error('a document that could not be read was shown as synced');
      for (const { user } of [writer, stranger]) user.crash();
      await postgres.start();
      const downMs = performance.now() - killedMs;
      typing.abort();
      await early.untilSynced(recoveredWithinMs);
      const shown = early.doc.getText('text').toJSON();
      early.leave();
      if (shown !== unread.text) throw new Error(`a document was shown as ${JSON.stringify(shown)}, not ${JSON.stringify(unread.text)}`);
      for (const alone of [writer, stranger]) await this.#isAllThere(alone);
      await this.#sharersAreWhole();
      const promised = writer.acknowledged + stranger.acknowledged;
      return { victim: 'postgres away', promised, downMs, recoveredMs: performance.now() - killedMs };
    } finally {
      typing.abort();
    }
  }

  end(): void {
    this.#typing?.abort();
    for (const { user } of this.#sharers) user.leave();
  }

  async #loneWriters(): Promise<LedgerWriter[]> {
    const kinds = ['hocuspocus-4', 'hocuspocus-3'] as const;
    const writers = Array.from({ length: loneWriters }, (_, i) => {
      const name = `lone-${this.#round}-${i}`;
      return new LedgerWriter(this.#options(name, `crash-${name}`, kinds[i % kinds.length]!, i), this.#random);
    });
    await Promise.all(writers.map(({ user }) => user.untilSynced()));
    return writers;
  }

  /** Text that is in Postgres, and in no worker's memory: a restarted worker knows of it by the database alone. */
  async #unreadDocument(): Promise<{ document: string; text: string }> {
    const document = `crash-unread-${this.#round}`;
    const author = new LedgerWriter(this.#options('author', document, 'hocuspocus-4', 0), this.#random);
    await author.user.untilSynced();
    await author.typeAcknowledged(5);
    const text = author.user.doc.getText('text').toJSON();
    author.user.crash();
    await this.#isStored(author, document);
    for (const worker of this.#cluster.workers) {
      await worker.kill();
      await worker.start();
    }
    return { document, text };
  }

  async #typeAlone(writer: LedgerWriter): Promise<void> {
    const bursts = 1 + this.#random.int(4);
    for (let i = 0; i < bursts; i++) await writer.typeAcknowledged(1 + this.#random.int(20));
  }

  #shareTyping(): AbortController {
    const typing = new AbortController();
    this.#typing = typing;
    let turn = 0;
    const timer = setInterval(() => this.#sharers[turn++ % this.#sharers.length]!.type(), typeEveryMs);
    typing.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    return typing;
  }

  async #isAllThere(writer: LedgerWriter): Promise<void> {
    const { user } = writer;
    const document = `crash-${user.name}`;
    const reader = new User(this.#options(`reader-of-${user.name}`, document, this.#random.pick(userKinds), this.#random.int(2)));
    try {
      await reader.untilSynced(recoveredWithinMs);
      await until(
        () => `a fresh reader finds what ${user.name} was promised; missing ${writer.missingIn(reader.doc).join(' ')}`,
        () => writer.missingIn(reader.doc).length === 0,
        (wake) => reader.onNews(wake),
      );
    } finally {
      reader.leave();
    }
    await this.#isStored(writer, document);
  }

  async #isStored(writer: LedgerWriter, document: string): Promise<void> {
    let missing: readonly string[] = [];
    for (const deadline = performance.now() + recoveredWithinMs; performance.now() < deadline; await sleep(lookEveryMs)) {
      missing = writer.missingIn(await storedDocument(this.#cluster, document));
      if (missing.length === 0) return;
    }
    throw new Error(`Postgres lacks what ${writer.user.name} was promised: ${missing.join(' ')}`);
  }

  async #sharersAreWhole(): Promise<void> {
    const acknowledging = this.#sharers.filter(({ user }) => user.tally !== undefined);
    await Promise.all(acknowledging.map(({ user }) => user.untilAcknowledged(recoveredWithinMs)));
    await untilEqual(
      this.#sharers.map(({ user }) => user.doc),
      recoveredWithinMs,
    );
    const { doc } = this.#sharers[0]!.user;
    for (const writer of this.#sharers) {
      const missing = writer.missingIn(doc);
      if (missing.length > 0) throw new Error(`${writer.user.name} was promised ${missing.join(' ')}`);
      if (writer.user.tally && writer.user.tally.surplus > 0)
        throw new Error(`${writer.user.name} got more acknowledgements than it asked for: ${JSON.stringify(writer.user.tally)}`);
    }
    await untilStored(this.#cluster, sharedDocument, doc, recoveredWithinMs);
  }

  #target(victim: Victim): Pick<ServiceProcess, 'kill' | 'stop' | 'start'> & { readonly name: string } {
    const { nats, postgres } = this.#cluster;
    switch (victim) {
      case 'nats':
        return { name: victim, kill: () => nats.kill(), stop: () => nats.stop(), start: () => nats.start() };
      case 'postgres':
        return { name: victim, kill: () => postgres.kill(), stop: () => postgres.stop(), start: () => postgres.start() };
      default: {
        const service = this.#random.pick(this.#cluster.services.filter((one) => one.service === victim));
        return { name: service.id, kill: () => service.kill(), stop: () => service.stop(), start: () => service.start() };
      }
    }
  }

  #options(name: string, document: string, kind: (typeof userKinds)[number], gateway: number) {
    return { kind, name, document, url: this.#cluster.url(gateway), token: this.#token };
  }
}
