import type { DocumentReader } from '@weft/store';
import type { Logger } from '@weft/telemetry';
import type { WorkerCore } from './worker-core.ts';

/** Reads documents from the store for the core, a few at a time. Who waits is bounded by the questions that wait for them. */
export class DocumentLoader {
  readonly #store: DocumentReader;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #atOnceMax: number;
  readonly #nowMs: () => number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;

  constructor(store: DocumentReader, logger: Logger, signal: AbortSignal, options: { atOnceMax: number; nowMs: () => number }) {
    this.#store = store;
    this.#logger = logger;
    this.#signal = signal;
    this.#atOnceMax = options.atOnceMax;
    this.#nowMs = options.nowMs;
  }

  load(core: WorkerCore, slice: number, partition: number, document: string): void {
    this.#run(async () => {
      try {
        const startedMs = this.#nowMs();
        const stored = await this.#store.loadDocument(document, slice);
        core.loaded(slice, partition, document, stored, this.#nowMs());
        this.#logger.debug(
          { document, ms: Math.round(this.#nowMs() - startedMs), pieces: stored.snapshot.pieces.length },
          'document loaded',
        );
      } catch (error) {
        this.#failed(core, slice, partition, document, error);
      }
    });
  }

  refresh(core: WorkerCore, slice: number, partition: number, document: string, version: number): void {
    this.#run(async () => {
      try {
        if ((await this.#store.snapshotVersion(document)) <= version) return core.notNewer(slice, partition, document);
        core.loaded(slice, partition, document, await this.#store.loadDocument(document, slice), this.#nowMs());
      } catch (error) {
        this.#failed(core, slice, partition, document, error);
      }
    });
  }

  /** Never taken for an empty document: whoever opens it is told, and the next question tries again after a pause. */
  #failed(core: WorkerCore, slice: number, partition: number, document: string, error: unknown): void {
    if (this.#signal.aborted) return;
    this.#logger.warn({ err: error, document }, 'a document could not be loaded');
    core.loadFailed(slice, partition, document, error instanceof Error ? error.message : String(error), this.#nowMs());
  }

  #run(job: () => Promise<void>): void {
    if (this.#running >= this.#atOnceMax) {
      this.#waiting.push(job);
      return;
    }
    this.#running += 1;
    void job().finally(() => {
      this.#running -= 1;
      const next = this.#waiting.shift();
      if (next && !this.#signal.aborted) this.#run(next);
    });
  }
}
