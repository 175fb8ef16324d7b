import { type Clock, every } from '@weft/lifecycle';
import { type Compactable, type DocumentStore, StoreUnavailable } from '@weft/store';
import type { Logger } from '@weft/telemetry';
import type { CompactionInput, CompactionResult } from './compact-document.ts';
import type { Instruments } from './instruments.ts';
import { type CompactionLimits, TailLedger } from './tail-ledger.ts';

export interface CompactorDeps {
  readonly slice: number;
  readonly store: DocumentStore;
  readonly compact: (input: CompactionInput) => Promise<CompactionResult>;
  readonly logger: Logger;
  readonly instruments: Instruments;
  readonly compaction: CompactionLimits & { readonly checkMs: number };
  readonly clock: Clock;
}

/** Of one document's tail in one compaction; the rest follows in the next. */
const TAIL_BYTES_MAX = 64 << 20;
/** Documents asked about in one query. */
const LEARN_AT_ONCE = 500;
/** Long tails looked for when the slice is taken. */
const LONG_TAILS_MAX = 10_000;

/** Replaces long tails of one slice by snapshots, one document at a time, while the slice is followed. */
export class Compactor {
  readonly ledger: TailLedger;
  readonly #deps: CompactorDeps;
  readonly #over = new AbortController();
  #knowsOldTails = false;

  constructor(deps: CompactorDeps) {
    this.#deps = deps;
    this.ledger = new TailLedger(deps.compaction);
  }

  async run(): Promise<void> {
    await every(this.#deps.compaction.checkMs, () => this.#look(), this.#over.signal, this.#deps.clock);
  }

  /** Nothing new is begun. */
  stop(): void {
    this.#over.abort();
  }

  async #look(): Promise<void> {
    try {
      await this.#learn();
    } catch (err) {
      this.#deps.logger[err instanceof StoreUnavailable ? 'debug' : 'error']({ err }, 'it could not be learned which tails are long');
      return;
    }
    for (const document of this.ledger.due(this.#deps.clock.now())) {
      if (this.#over.signal.aborted) return;
      await this.#attempt(document);
    }
  }

  async #learn(): Promise<void> {
    const { slice, store, clock, compaction } = this.#deps;
    if (!this.#knowsOldTails) {
      const limits = { rowsOver: compaction.oldRows, bytesOver: compaction.tailBytes, limit: LONG_TAILS_MAX };
      for (const tail of await store.longTails(slice, limits)) this.ledger.learn(tail, clock.now());
      this.#knowsOldTails = true;
    }
    for (let names = this.ledger.toLearn(LEARN_AT_ONCE); names.length > 0; names = this.ledger.toLearn(LEARN_AT_ONCE)) {
      for (const tail of await store.tailsOf(names)) this.ledger.learn(tail, clock.now());
    }
  }

  async #attempt(document: string): Promise<void> {
    const { instruments, logger, clock } = this.#deps;
    const stopTimer = instruments.compactionSeconds.startTimer();
    try {
      const outcome = await this.#compact(document);
      instruments.compactions.inc({ outcome });
      this.ledger.compacted(document, { rowsLeft: outcome === 'overtaken' });
    } catch (err) {
      if (this.#over.signal.aborted) return;
      instruments.compactions.inc({ outcome: 'failed' });
      const { waitMs, givenUp } = this.ledger.failed(document, clock.now());
      const sentence = givenUp
        ? 'compaction given up for now; the document is served from its snapshot and tail'
        : 'compaction failed, will be tried again';
      logger[givenUp ? 'error' : 'warn']({ err, document, waitMs }, sentence);
    } finally {
      stopTimer();
    }
  }

  async #compact(document: string): Promise<'done' | 'nothing' | 'overtaken'> {
    const { store, slice, logger, instruments, clock } = this.#deps;
    const from = await store.loadForCompaction(document, { tailBytesMax: TAIL_BYTES_MAX });
    if (from === undefined || from.tail.length === 0) return 'nothing';
    const consumedRowIds = from.tail.map(({ id }) => id);
    const startedMs = clock.now();
    const { snapshot, bad } = await this.#deps.compact(inputOf(from));
    const quarantined = bad.map(({ update, reason }) => ({ slice, document, position: 0, reason, bytes: update }));
    const { documentId } = from;
    const replaced = await store.replaceWithSnapshot({
      documentId,
      expectedVersion: from.snapshot.version,
      consumedRowIds,
      snapshot,
      quarantined,
    });
    if (!replaced) return 'overtaken';
    for (const { reason, bytes } of quarantined) {
      logger.error({ document, reason, bytes: bytes.byteLength }, 'an update was quarantined; the document is served without it');
    }
    if (bad.length > 0) instruments.quarantined.inc({ at: 'compaction' }, bad.length);
    const ms = Math.round(clock.now() - startedMs);
    logger.debug(
      { document, version: from.snapshot.version + 1, rows: consumedRowIds.length, pieces: snapshot.pieces.length, ms },
      'compacted',
    );
    return 'done';
  }
}

function inputOf({ snapshot, tail }: Compactable): CompactionInput {
  return { pieces: snapshot.pieces, tail };
}
