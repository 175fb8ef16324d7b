import { type Clock, retry } from '@weft/lifecycle';
import { type DocumentUpdate, type Flush, type Quarantined, type DocumentStore, type StoredFloor, StoreUnavailable } from '@weft/store';
import type { Logger } from '@weft/telemetry';
import { Breather } from './breather.ts';
import type { Batch } from './combiner.ts';
import { mergeDocument } from './merge-document.ts';

/** SQLSTATE classes in which Postgres says: this value, never. */
const VALUE_REFUSED = /^(22|23|54)[0-9A-Z]{3}$/;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 5_000;

export type Written =
  | { readonly kind: 'committed'; readonly floor: StoredFloor; readonly rows: readonly DocumentUpdate[]; readonly quarantined: number }
  /** Another reader of the slice was faster; what we hold is in Postgres already, or will be read again from there. */
  | { readonly kind: 'overtaken'; readonly stored: StoredFloor | undefined };

export interface FlushWriterOptions {
  readonly slice: number;
  readonly store: Pick<DocumentStore, 'commitFlush'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends retries; without it a flush is retried for as long as Postgres is away, never dropped and never skipped. */
  readonly signal: AbortSignal;
}

/** Merges a batch and commits it with its floor. Only a flush at a time: the next one builds on this one's floor. */
export class FlushWriter {
  readonly #options: FlushWriterOptions;
  #floor: StoredFloor;

  constructor(floor: StoredFloor, options: FlushWriterOptions) {
    this.#floor = floor;
    this.#options = options;
  }

  /** Committed in Postgres, as far as we know. */
  get floor(): StoredFloor {
    return this.#floor;
  }

  async write(batch: Batch): Promise<Written> {
    const flush = await this.#merged(batch);
    const { store } = this.#options;
    if (isNothing(flush)) return this.#committed(flush);
    try {
      const outcome = await this.#retried(() => store.commitFlush(flush));
      if (outcome.committed) return this.#committed(flush);
      if (!this.#standsAsOurs(flush, outcome.floor)) return { kind: 'overtaken', stored: outcome.floor };
      if (batch.readPosition === flush.toPosition) return this.#committed(flush);
      // Whole updates from above the floor, beside an unfinished one: who was as fast need not have read as far. Once more under the floor that stands; twice does no harm.
      const again = await this.#retried(() => store.commitFlush({ ...flush, fromPosition: flush.toPosition }));
      return again.committed ? this.#committed(flush) : { kind: 'overtaken', stored: again.floor };
    } catch (error) {
      if (!isValueRefused(error)) throw error;
      return this.#writeOneByOne(flush, error);
    }
  }

  /** A commit whose answer was lost did happen, or somebody else wrote exactly as far: in both cases all up to this floor is in Postgres. */
  #standsAsOurs({ identity, fromPosition, toPosition }: Flush, stored: StoredFloor | undefined): boolean {
    return toPosition > fromPosition && stored?.identity === identity && stored.position === toPosition;
  }

  async #merged({ documents, quarantined, floorPosition }: Batch): Promise<Flush> {
    const { slice } = this.#options;
    const { identity, position } = this.#floor;
    const rows: DocumentUpdate[] = [];
    const bad: Quarantined[] = [...quarantined];
    const breather = new Breather(this.#options.clock);
    for (const [name, updates] of documents) {
      const merged = mergeDocument(updates);
      rows.push(...merged.rows.map((update) => ({ name, update })));
      bad.push(...merged.bad.map(({ update, reason }) => ({ slice, document: name, position: floorPosition, reason, bytes: update })));
      await breather.breathe();
    }
    return { slice, identity, fromPosition: position, toPosition: Math.max(position, floorPosition), documents: rows, quarantined: bad };
  }

  #committed(flush: Flush): Written {
    for (const { document, position, reason, bytes } of flush.quarantined) {
      this.#options.logger.error(
        { document, position, reason, bytes: bytes.byteLength },
        'an update was quarantined; the document is served without it',
      );
    }
    this.#floor = { identity: flush.identity, position: flush.toPosition };
    return { kind: 'committed', floor: this.#floor, rows: flush.documents, quarantined: flush.quarantined.length };
  }

  /**
   * Postgres refuses a value of the flush, and would for ever. Row by row under the old floor, so that the one it refuses is found and put aside,
   * then the floor. Rows written twice after a failure in between do no harm: updates may be applied twice.
   */
  async #writeOneByOne(flush: Flush, cause: unknown): Promise<Written> {
    const { store, logger } = this.#options;
    logger.error({ err: cause, rows: flush.documents.length }, 'Postgres refused a flush; its rows are written one by one');
    const standing = { ...flush, toPosition: flush.fromPosition, quarantined: [] };
    const refused: Quarantined[] = [];
    for (const row of flush.documents) {
      try {
        const outcome = await this.#retried(() => store.commitFlush({ ...standing, documents: [row] }));
        if (!outcome.committed) return { kind: 'overtaken', stored: outcome.floor };
      } catch (error) {
        if (!isValueRefused(error)) throw error;
        const reason = `Postgres refused it: ${error.message}`;
        refused.push({ slice: flush.slice, document: row.name, position: flush.toPosition, reason, bytes: row.update });
      }
    }
    const last: Flush = { ...flush, documents: [], quarantined: [...flush.quarantined, ...refused] };
    const outcome = await this.#retried(() => store.commitFlush(last));
    if (!outcome.committed && !this.#standsAsOurs(last, outcome.floor)) return { kind: 'overtaken', stored: outcome.floor };
    return this.#committed({ ...last, documents: flush.documents });
  }

  #retried<T>(operation: () => Promise<T>): Promise<T> {
    const { signal, logger, clock } = this.#options;
    return retry(operation, {
      signal,
      logger,
      clock,
      what: 'write a flush to Postgres',
      baseMs: RETRY_BASE_MS,
      maxMs: RETRY_MAX_MS,
      isRetryable: (error) => error instanceof StoreUnavailable,
    });
  }
}

/** Only pieces came: no row yet, and the floor may not move. */
function isNothing({ documents, quarantined, fromPosition, toPosition }: Flush): boolean {
  return documents.length === 0 && quarantined.length === 0 && fromPosition === toPosition;
}

function isValueRefused(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && VALUE_REFUSED.test(String(error.code));
}
