import { LedgerWriter } from '../harness/ledger-writer.ts';
import type { Random } from '../harness/random.ts';
import type { UserOptions } from '../harness/users.ts';
import type { Promises } from './promises.ts';

/** Written in by all rounds, so that what is old is looked for too. */
const longDocument = 'long';
const loneTypists = 2;
const longTypists = 2;
const typeEveryMs = 5;
const editsAtOnceMax = 3;
const lastBurstMax = 20;
const struckWithinMs = 30_000;

/** Only the kinds that are told when an edit is safe. */
const kinds = ['hocuspocus-4', 'hocuspocus-3'] as const;

export interface TypistsOptions {
  readonly url: string;
  readonly random: Random;
  readonly promises: Promises;
  /** Makes names. */
  readonly round: number;
}

export interface Typed {
  readonly documents: readonly string[];
  readonly edits: number;
  readonly acknowledged: number;
}

/**
 * The people of one round. They are gone for good when it strikes, so nobody brings back what the house lost: some write alone in a new document,
 * some together in one that lasts.
 */
export class Typists {
  readonly #random: Random;
  readonly #writers: readonly LedgerWriter[];
  readonly #documents: readonly string[];
  #timer: NodeJS.Timeout | undefined;

  private constructor({ url, random, promises, round }: TypistsOptions) {
    this.#random = random;
    const documents = Array.from({ length: loneTypists + longTypists }, (_, i) => (i < loneTypists ? `lone-${round}-${i}` : longDocument));
    this.#documents = [...new Set(documents)];
    this.#writers = documents.map((document, i) => {
      const options: UserOptions = { kind: kinds[i % kinds.length]!, name: `typist-${round}-${i}`, url, document, token: '' };
      const writer = new LedgerWriter(options, random);
      promises.remember(document, writer);
      return writer;
    });
  }

  static async sitDown(options: TypistsOptions): Promise<Typists> {
    const typists = new Typists(options);
    await Promise.all(typists.#writers.map(({ user }) => user.untilSynced()));
    return typists;
  }

  /**
   * All type; after `typingMs` one of them types its last, and `strike` is called in the very moment that one's acknowledgement is there, while the others go on.
   * Afterwards all are gone without a word.
   */
  async typeUntil(typingMs: number, strike: () => Promise<void> | void): Promise<Typed> {
    this.#timer = setInterval(() => {
      const writer = this.#random.pick(this.#writers);
      for (let i = this.#random.int(editsAtOnceMax); i >= 0; i--) writer.type();
    }, typeEveryMs);
    try {
      await new Promise((resolve) => setTimeout(resolve, typingMs));
      await this.#strikeWithAcknowledgement(this.#random.pick(this.#writers), strike);
    } finally {
      this.pause();
      for (const { user } of this.#writers) user.crash();
    }
    const sum = (of: (writer: LedgerWriter) => number): number => this.#writers.reduce((total, writer) => total + of(writer), 0);
    return { documents: this.#documents, edits: sum(({ made }) => made), acknowledged: sum(({ acknowledged }) => acknowledged) };
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** After `pause`: of everything typed. */
  async untilAcknowledged(): Promise<void> {
    await Promise.all(this.#writers.map(({ user }) => user.untilAcknowledged(struckWithinMs)));
  }

  #strikeWithAcknowledgement(writer: LedgerWriter, strike: () => Promise<void> | void): Promise<void> {
    return new Promise((resolve, reject) => {
      for (let i = this.#random.int(lastBurstMax); i >= 0; i--) writer.type();
      const goal = writer.made;
      const timer = setTimeout(
        () => reject(new Error(`${writer.user.name} got no acknowledgement in ${struckWithinMs} ms`)),
        struckWithinMs,
      );
      const stop = writer.user.onNews(() => {
        // The writer's own listener came first: `acknowledged` is of this very moment.
        if (writer.acknowledged < goal) return;
        stop();
        clearTimeout(timer);
        Promise.resolve(strike()).then(resolve, reject);
      });
    });
  }
}
