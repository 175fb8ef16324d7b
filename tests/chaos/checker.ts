import { setTimeout as sleep } from 'node:timers/promises';
import type * as Y from 'yjs';
import type { Cluster } from '../harness/cluster.ts';
import { missingEntries } from '../harness/ledger-writer.ts';
import { contentOf, stateVectorOf } from '../harness/random-edits.ts';
import { storedDocument } from '../harness/stored-content.ts';
import type { Crowd } from './crowd.ts';
import type { FaultWindow } from './injector.ts';
import type { Notes } from './typist.ts';
import { lostEdit, type Violation } from './violations.ts';

const patienceDefault: Patience = { storedWithinMs: 60_000, shownWithinMs: 15_000 };
const readWithinMs = 60_000;
const lookEveryMs = 100;
/** Documents looked into at the same time. */
const atOnceMax = 6;
/** Of one document, in one place: more of the same tell nothing new. */
const shownMax = 5;

export interface Checked {
  readonly violations: readonly Violation[];
  readonly documents: number;
  /** Edits that had to be found again. */
  readonly promised: number;
  /** Of fresh readers whose first answer was older than what had been acknowledged: how long the rest took. */
  readonly lateMs: readonly number[];
}

export interface Patience {
  /** Persistence may have had to begin anew. */
  readonly storedWithinMs: number;
  readonly shownWithinMs: number;
}

interface CheckContext {
  readonly startMs: number;
  readonly windows: readonly FaultWindow[];
}

/** Looks for everything that was promised, in every place where it must be, once all is healed and quiet. */
export class Checker {
  readonly #cluster: Cluster;
  readonly #crowd: Crowd;
  readonly #context: CheckContext;
  readonly #patience: Patience;
  readonly #lateMs: number[] = [];

  constructor(cluster: Cluster, crowd: Crowd, context: CheckContext, patience = patienceDefault) {
    this.#cluster = cluster;
    this.#crowd = crowd;
    this.#context = context;
    this.#patience = patience;
  }

  /** @param notes by everybody who ever typed: what is looked for */
  async check(notes: readonly Notes[]): Promise<Checked> {
    const byDocument = new Map<string, Notes[]>();
    for (const one of notes) byDocument.set(one.document, [...(byDocument.get(one.document) ?? []), one]);
    const violations: Violation[] = [];
    const waiting = [...byDocument];
    const look = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) violations.push(...(await this.#look(...next)));
    };
    await Promise.all(Array.from({ length: atOnceMax }, look));
    const promised = notes.reduce((sum, one) => sum + this.#promised(one), 0);
    return { violations, documents: byDocument.size, promised, lateMs: this.#lateMs };
  }

  async #look(document: string, notes: readonly Notes[]): Promise<Violation[]> {
    const living = this.#crowd.living.filter((typist) => typist.document === document);
    const violations = living.flatMap(({ doc, notes: { writer } }) => this.#missing(notes, doc, `the document of ${writer}`));
    const first = living[0]?.doc;
    const equal = (other: Y.Doc, whose: string): Violation[] =>
      first === undefined || wholeOf(first) === wholeOf(other)
        ? []
        : [{ kind: 'unequal', document, says: `${document}: ${whose} is another than that of ${living[0]!.notes.writer}` }];
    for (const { doc, notes: whose } of living) violations.push(...equal(doc, `the document of ${whose.writer}`));
    const read = await this.#read(document, (doc) => [
      ...this.#missing(notes, doc, 'what a fresh reader is shown'),
      ...equal(doc, 'what a fresh reader is shown'),
    ]);
    return [...violations, ...read, ...(await this.#stored(document, notes, equal))];
  }

  /**
   * Somebody opens it. The first answer may be older than what another gateway acknowledged a moment before (architecture.md, section 3: a question says at least which position the asker's own gateway knows); the rest then
   * comes by relay, soon, and how late is told.
   */
  async #read(document: string, judge: (doc: Y.Doc) => Violation[]): Promise<Violation[]> {
    return this.#crowd.withReader(document, async (reader) => {
      try {
        await reader.untilSynced(readWithinMs);
      } catch (error) {
        return [{ kind: 'stuck', document, says: `${document}: ${String(error)}` }];
      }
      const syncedMs = performance.now();
      let violations = judge(reader.doc);
      if (violations.length === 0) return [];
      while (violations.length > 0 && performance.now() - syncedMs < this.#patience.shownWithinMs) {
        await sleep(lookEveryMs);
        violations = judge(reader.doc);
      }
      if (violations.length === 0) this.#lateMs.push(performance.now() - syncedMs);
      return violations;
    });
  }

  /** Postgres says nothing when it has flushed, so it is asked until it has all, or the time is up. */
  async #stored(document: string, notes: readonly Notes[], equal: (doc: Y.Doc, whose: string) => Violation[]): Promise<Violation[]> {
    // Who vanished between two of their edits may have left the second alone, neither acknowledged.
    const mayWait = notes.some((one) => !this.#lives(one) && one.kind !== 'y-websocket' && one.acknowledgedMs.length < one.madeMs.length);
    for (const deadlineMs = performance.now() + this.#patience.storedWithinMs; ; await sleep(lookEveryMs)) {
      const doc = await storedDocument(this.#cluster, document);
      const pending = doc.store.pendingStructs === null || mayWait ? [] : [`${document}: Postgres has structs that wait for others`];
      const violations = [
        ...this.#missing(notes, doc, 'Postgres'),
        ...equal(doc, 'the document in Postgres'),
        ...pending.map((says) => ({ kind: 'unequal', document, says }) as const),
      ];
      if (violations.length === 0 || performance.now() > deadlineMs) return violations;
    }
  }

  #missing(notes: readonly Notes[], doc: Y.Doc, where: string): Violation[] {
    return notes.flatMap((one) =>
      missingEntries(doc, one.writer, this.#promised(one))
        .slice(0, shownMax)
        .map((entry) => lostEdit(one, entry, where, this.#context)),
    );
  }

  /** Of who vanished: what was acknowledged. Of who lives: everything, since a client keeps and sends again what is not acknowledged. */
  #promised(notes: Notes): number {
    return this.#lives(notes) ? notes.madeMs.length : notes.acknowledgedMs.length;
  }

  #lives(notes: Notes): boolean {
    return this.#crowd.living.some((typist) => typist.notes.writer === notes.writer);
  }
}

function wholeOf(doc: Y.Doc): string {
  const sorted = (map: object): unknown[] => Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([stateVectorOf(doc), contentOf(doc).text, sorted(doc.getMap('ledger').toJSON())]);
}
