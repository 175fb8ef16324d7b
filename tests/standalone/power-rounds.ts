import { join } from 'node:path';
import type { Random } from '../harness/random.ts';
import type { LossyDisk } from '../harness/lossy-disk.ts';
import { Promises } from './promises.ts';
import { StandaloneProcess } from './standalone-process.ts';
import { Typists } from './typists.ts';

const typingMsMax = 1500;
const seedsMax = 2 ** 31;

export interface PowerRound {
  readonly keep: number;
  readonly edits: number;
  readonly acknowledged: number;
  readonly lost: readonly string[];
  /** Of unsynced bytes, by this cut. */
  readonly bytesLost: number;
  readonly bytesKept: number;
  readonly startedInMs: number;
}

/**
 * Rounds of: people type; in the very moment of an acknowledgement everything ends as when the power goes, and the disk forgets what was not synced;
 * standalone starts again on what is left. A fresh client must find every edit that was acknowledged.
 */
export class PowerRounds {
  readonly standalone: StandaloneProcess;
  readonly #disk: LossyDisk;
  readonly #random: Random;
  readonly #promises: Promises;
  #round = 0;

  private constructor(standalone: StandaloneProcess, disk: LossyDisk, random: Random) {
    this.standalone = standalone;
    this.#disk = disk;
    this.#random = random;
    this.#promises = new Promises(`ws://127.0.0.1:${standalone.port}`, random);
  }

  /** Not yet started. */
  static async plan(disk: LossyDisk, random: Random): Promise<PowerRounds> {
    const rounds = new PowerRounds(await StandaloneProcess.plan(join(disk.folder, 'data')), disk, random);
    rounds.#setEnv({});
    return rounds;
  }

  /** @param keep chance of an unsynced page to survive */
  async run(keep: number): Promise<PowerRound> {
    this.#round += 1;
    const { random, promises, round } = { random: this.#random, promises: this.#promises, round: this.#round };
    const typists = await Typists.sitDown({ url: `ws://127.0.0.1:${this.standalone.port}`, random, promises, round });
    const { documents, edits, acknowledged } = await typists.typeUntil(random.int(typingMsMax), () => this.standalone.killEverything());
    const before = this.#disk.counters;
    this.#disk.cut({ keep, seed: random.int(seedsMax) });
    const after = this.#disk.counters;
    const startedInMs = await this.standalone.start();
    const { lost } = await promises.look(documents);
    const bytes = { bytesLost: after.bytesLost - before.bytesLost, bytesKept: after.bytesKept - before.bytesKept };
    return { keep, edits, acknowledged, lost, startedInMs, ...bytes };
  }

  /**
   * The check must be able to fail: one round on a Postgres that does not sync, on a database that was whole before. Gives what it lost; standalone
   * runs with everything on again.
   */
  async runControl(): Promise<PowerRound> {
    // A clean stop syncs everything: what is lost is what came after.
    await this.standalone.stop();
    this.#setEnv({ WEFT_TEST_ONLY_FSYNC_OFF: 'true' });
    await this.standalone.start();
    this.#setEnv({});
    return this.run(0);
  }

  /** Looks for everything promised in all rounds. */
  async lookAgain(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const document of this.#promises.documents) lost.push(...(await this.#promises.look([document])).lost);
    return lost;
  }

  /** Postgres' socket need not lie on the disk. Who was cut off cannot know where the last one was, so what is left goes with the folder beside it. */
  #setEnv(env: Readonly<Record<string, string>>): void {
    this.standalone.env = { TMPDIR: this.#disk.beside, ...env };
  }
}
