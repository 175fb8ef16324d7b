import type { LedgerWriter } from '../harness/ledger-writer.ts';
import type { Random } from '../harness/random.ts';
import { User, userKinds } from '../harness/users.ts';

const syncedWithinMs = 60_000;

export interface Found {
  /** Acknowledged edits that were looked for. */
  readonly promised: number;
  /** `document: writer#3`, of each one that is gone. */
  readonly lost: readonly string[];
}

/** Who wrote in which document, and so what must be found in it for ever. */
export class Promises {
  readonly #url: string;
  readonly #random: Random;
  readonly #writers = new Map<string, LedgerWriter[]>();

  constructor(url: string, random: Random) {
    this.#url = url;
    this.#random = random;
  }

  get documents(): readonly string[] {
    return [...this.#writers.keys()];
  }

  remember(document: string, writer: LedgerWriter): void {
    this.#writers.set(document, [...(this.#writers.get(document) ?? []), writer]);
  }

  /** Opens each document afresh. What was acknowledged must be in the very first answer, not come some time later. */
  async look(documents: readonly string[]): Promise<Found> {
    const found = await Promise.all(documents.map((document) => this.#lookInto(document)));
    return { promised: found.reduce((sum, { promised }) => sum + promised, 0), lost: found.flatMap(({ lost }) => lost) };
  }

  async #lookInto(document: string): Promise<Found> {
    const kind = this.#random.pick(userKinds);
    const reader = new User({ kind, name: 'reader', url: this.#url, document, token: '' });
    try {
      await reader.untilSynced(syncedWithinMs);
      const writers = this.#writers.get(document) ?? [];
      return {
        promised: writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
        lost: writers.flatMap((writer) => writer.missingIn(reader.doc)).map((entry) => `${document}: ${entry}`),
      };
    } finally {
      reader.leave();
    }
  }
}
