import type { TailSize } from '@weft/store';

export interface CompactionLimits {
  /** A tail of more bytes than this, and more than a quarter of the snapshot, is compacted. */
  readonly tailBytes: number;
  readonly tailRows: number;
  /** A tail this old with more than `oldRows` rows is compacted too. */
  readonly oldMs: number;
  readonly oldRows: number;
}

/** Attempts in a row for one document; after that it is left alone for `GIVEN_UP_MS`. It is served from snapshot and tail all the while. */
export const ATTEMPTS_MAX = 5;
export const GIVEN_UP_MS = 3_600_000;
const ATTEMPT_BASE_MS = 1_000;
/** Documents remembered; the one not flushed for longest is forgotten first, and asked for again at its next flush. */
const DOCUMENTS_MAX = 50_000;

interface Tail {
  rows: number;
  bytes: number;
  sinceMs: number;
  snapshotBytes: number;
  failures: number;
  notBeforeMs: number;
}

/**
 * How long each document's tail is, kept by counting what is flushed, so that Postgres is asked once a document and not at every look. Counts may be
 * off by a flush that raced with the question: harmless, they only say when to compact.
 */
export class TailLedger {
  readonly #limits: CompactionLimits;
  readonly #tails = new Map<string, Tail>();
  readonly #unknown = new Set<string>();

  constructor(limits: CompactionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#tails.size + this.#unknown.size;
  }

  flushed(document: string, rows: number, bytes: number): void {
    const tail = this.#tails.get(document);
    if (tail === undefined) {
      if (this.#unknown.size < DOCUMENTS_MAX) this.#unknown.add(document);
      return;
    }
    tail.rows += rows;
    tail.bytes += bytes;
    this.#tails.delete(document);
    this.#tails.set(document, tail);
  }

  /** Documents to ask the store about, at most `limit`; each is given once. */
  toLearn(limit: number): readonly string[] {
    const some: string[] = [];
    for (const document of this.#unknown) {
      if (some.length >= limit) break;
      some.push(document);
      this.#unknown.delete(document);
    }
    return some;
  }

  learn({ document, rows, bytes, ageMs, snapshotBytes }: TailSize, nowMs: number): void {
    const known = this.#tails.get(document);
    this.#tails.delete(document);
    this.#tails.set(document, {
      rows,
      bytes,
      snapshotBytes,
      sinceMs: nowMs - ageMs,
      failures: known?.failures ?? 0,
      notBeforeMs: known?.notBeforeMs ?? 0,
    });
    const [oldest] = this.#tails.keys();
    if (this.#tails.size > DOCUMENTS_MAX && oldest !== undefined) this.#tails.delete(oldest);
  }

  /** Documents to compact now, those with most to gain first. */
  due(nowMs: number): readonly string[] {
    const due: { readonly document: string; readonly bytes: number }[] = [];
    for (const [document, tail] of this.#tails) {
      if (nowMs >= tail.notBeforeMs && this.#isDue(tail, nowMs)) due.push({ document, bytes: tail.bytes });
    }
    return due.toSorted((a, b) => b.bytes - a.bytes).map(({ document }) => document);
  }

  /** Forgets the document: what its tail is now is asked at its next flush, or at once if rows are known to be left. */
  compacted(document: string, { rowsLeft }: { rowsLeft: boolean }): void {
    this.#tails.delete(document);
    if (rowsLeft) this.#unknown.add(document);
  }

  /** Gives when it is tried again, ms from now, and whether it was given up for that time. */
  failed(document: string, nowMs: number): { readonly waitMs: number; readonly givenUp: boolean } {
    const tail = this.#tails.get(document);
    const failures = (tail?.failures ?? 0) + 1;
    const givenUp = failures >= ATTEMPTS_MAX;
    const waitMs = givenUp ? GIVEN_UP_MS : ATTEMPT_BASE_MS * 4 ** failures;
    if (tail !== undefined) Object.assign(tail, { failures: givenUp ? 0 : failures, notBeforeMs: nowMs + waitMs });
    return { waitMs, givenUp };
  }

  #isDue({ rows, bytes, sinceMs, snapshotBytes }: Tail, nowMs: number): boolean {
    const { tailBytes, tailRows, oldMs, oldRows } = this.#limits;
    return bytes > Math.max(tailBytes, snapshotBytes / 4) || rows > tailRows || (rows > oldRows && nowMs - sinceMs > oldMs);
  }
}
