import { missingEntries } from '../harness/ledger-writer.ts';
import type { Random } from '../harness/random.ts';
import { until } from '../harness/until.ts';
import type { Crowd } from './crowd.ts';
import type { Notes } from './typist.ts';
import type { Violation } from './violations.ts';

const visitEveryMs = 1_000;
/** At the same time: a house that lets nobody in is not stormed. */
const visitsMax = 20;
/** A provider waits up to 30 s between two attempts (protocol.md). */
const withinMs = 60_000;

export interface Visit {
  readonly fromMs: number;
  /** It is shown a document. */
  readonly syncedMs: number;
  /** It has everything that was acknowledged to anybody before it came. */
  readonly wholeMs: number;
}

/** While all goes on, somebody opens a document every second, and must get what was acknowledged before they asked. */
export class Visits {
  readonly #crowd: Crowd;
  readonly #random: Random;
  readonly #visits: Visit[] = [];
  readonly #under = new Set<Promise<void>>();
  readonly #violations: Violation[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(crowd: Crowd, random: Random) {
    this.#crowd = crowd;
    this.#random = random;
    this.#timer = setInterval(() => this.#begin(), visitEveryMs);
  }

  get all(): readonly Visit[] {
    return this.#visits;
  }

  /** No new ones; resolves with what was wrong when the last has ended. */
  async end(): Promise<readonly Violation[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#under);
    return this.#violations;
  }

  #begin(): void {
    if (this.#under.size >= visitsMax) return;
    const document = this.#random.pick(this.#crowd.documents);
    const promised = this.#crowd.notes
      .filter((notes) => notes.document === document)
      .map((notes) => ({ notes, count: notes.acknowledgedMs.length }));
    const visit = this.#visit(document, promised)
      .catch((error: unknown) => void this.#violations.push({ kind: 'stuck', says: `a visit of ${document}: ${String(error)}` }))
      .finally(() => this.#under.delete(visit));
    this.#under.add(visit);
  }

  async #visit(document: string, promised: readonly { notes: Notes; count: number }[]): Promise<void> {
    const fromMs = performance.now();
    await this.#crowd.withReader(document, async (reader) => {
      await reader.untilSynced(withinMs);
      const syncedMs = performance.now();
      const missing = (): string[] => promised.flatMap(({ notes, count }) => missingEntries(reader.doc, notes.writer, count));
      await until(
        () => `${reader.name} (${reader.kind}) has what was acknowledged before; missing ${missing().slice(0, 10).join(' ')}`,
        () => missing().length === 0,
        (wake) => reader.onNews(wake),
        withinMs,
      );
      this.#visits.push({ fromMs, syncedMs, wholeMs: performance.now() });
    });
  }
}
