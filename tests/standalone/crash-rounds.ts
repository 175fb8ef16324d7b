import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../harness/random.ts';
import { orphaningEnvironment } from './orphaning.ts';
import { Promises } from './promises.ts';
import type { StandaloneProcess } from './standalone-process.ts';
import { Stayers } from './stayers.ts';
import { Typists } from './typists.ts';

/**
 * What happens to standalone in a round.
 *   standalone  kill -9 of the process; its Postgres ends by itself where it is told, else the next start ends the orphan
 *   postgres    kill -9 of its Postgres; the process starts it again
 *   everything  kill -9 of the process, its Postgres and every backend
 *   frozen      its Postgres stands still for a while, as a disk or a network away does; then `everything`
 */
export type Blow = 'standalone' | 'postgres' | 'everything' | 'frozen';

/** Has it say when it ends an orphan. */
const env = { WEFT_LOG_LEVEL: 'info' };
const takenOver = 'ending the Postgres a dead process left behind';
const typingMsMax = 1500;
/** What was under way when Postgres froze may still arrive. */
const lastAnswersMs = 500;

export interface CrashRound {
  readonly blow: Blow;
  readonly edits: number;
  readonly acknowledged: number;
  readonly lost: readonly string[];
  /** Start until ready, ms; undefined where the process lived on. */
  readonly startedInMs: number | undefined;
  /** That start found Postgres of the former life running. */
  readonly tookOver: boolean;
}

/**
 * Rounds of: people type, something is killed with -9 in the very moment of an acknowledgement, it comes back; a fresh client must find every edit that
 * was acknowledged. Besides, a few people stay through all of it and must end equal, with everything acknowledged.
 */
export class CrashRounds {
  readonly #standalone: StandaloneProcess;
  readonly #random: Random;
  readonly #promises: Promises;
  readonly #stayers: Stayers;
  readonly #frozenMs: number;
  #round = 0;
  readonly #orphaning = orphaningEnvironment();
  /** Every other life of standalone. */
  #orphans = false;

  private constructor(standalone: StandaloneProcess, random: Random, { frozenMs }: { readonly frozenMs: number }) {
    const url = `ws://127.0.0.1:${standalone.port}`;
    this.#standalone = standalone;
    this.#random = random;
    this.#frozenMs = frozenMs;
    this.#promises = new Promises(url, random);
    this.#stayers = new Stayers(url, random);
  }

  /** Starts standalone for the first time. */
  static async begin(standalone: StandaloneProcess, random: Random, options: { readonly frozenMs: number }): Promise<CrashRounds> {
    const rounds = new CrashRounds(standalone, random, options);
    await rounds.#start();
    return rounds;
  }

  /** Of those who stay: they count once, at the end. */
  get stayed(): { readonly edits: number; readonly acknowledged: number } {
    return this.#stayers;
  }

  async run(blow: Blow): Promise<CrashRound> {
    this.#round += 1;
    const url = `ws://127.0.0.1:${this.#standalone.port}`;
    const typists = await Typists.sitDown({ url, random: this.#random, promises: this.#promises, round: this.#round });
    this.#stayers.type();
    const { documents, edits, acknowledged } = await typists.typeUntil(this.#random.int(typingMsMax), () => this.#strike(blow, typists));
    const orphan = this.#orphans && blow === 'standalone';
    const startedInMs = blow === 'postgres' ? undefined : await this.#start();
    const tookOver = startedInMs !== undefined && this.#standalone.heard.includes(takenOver);
    if (orphan && !tookOver) throw new Error('Postgres of the killed process was expected to live on, and to be ended by the next');
    this.#stayers.pause();
    const { lost } = await this.#promises.look(documents);
    await this.#stayers.untilWhole();
    return { blow, edits, acknowledged, lost, startedInMs, tookOver };
  }

  /** Looks for everything promised in all rounds. */
  async lookAgain(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const document of this.#promises.documents) lost.push(...(await this.#promises.look([document])).lost);
    return lost;
  }

  leave(): void {
    this.#stayers.leave();
  }

  #start(): Promise<number> {
    this.#orphans = !this.#orphans;
    this.#standalone.env = this.#orphans ? { ...env, ...this.#orphaning } : env;
    return this.#standalone.start();
  }

  async #strike(blow: Blow, typists: Typists): Promise<void> {
    switch (blow) {
      case 'standalone':
        return this.#standalone.kill();
      case 'postgres':
        return this.#standalone.killPostgres();
      case 'everything':
        return this.#standalone.killEverything();
      case 'frozen':
        await this.#freeze(typists);
        return this.#standalone.killEverything();
    }
  }

  /** Nothing is acknowledged meanwhile, people see each other's typing, and all of it is acknowledged afterwards. */
  async #freeze(typists: Typists): Promise<void> {
    const thaw = this.#standalone.freezePostgres();
    try {
      await sleep(lastAnswersMs);
      this.#stayers.pause();
      const { acknowledged } = this.#stayers;
      const endMs = performance.now() + this.#frozenMs;
      await this.#stayers.untilTheySeeEachOther();
      await sleep(endMs - performance.now());
      if (this.#stayers.acknowledged !== acknowledged) throw new Error('edits were acknowledged while Postgres stood still');
    } finally {
      thaw();
    }
    typists.pause();
    await Promise.all([typists.untilAcknowledged(), this.#stayers.untilWhole()]);
  }
}

/** One frozen round, a few without Postgres or without anything; mostly the process alone. Counted from 1. */
export function blowOf(round: number): Blow {
  if (round === 3) return 'frozen';
  if (round % 5 === 2) return 'postgres';
  if (round % 5 === 4) return 'everything';
  return 'standalone';
}
