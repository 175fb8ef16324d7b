import type { DocumentReader } from '@weft/store';
import type { Logger } from '@weft/telemetry';
import type { HeldDocument } from './held-document.ts';
import type { WorkerCore } from './worker-core.ts';

/** Reads documents from the store for the core, a few at a time. Where too many wait, a load fails at once: whoever asked hears it, and asks again. */
export class DocumentLoader {
  readonly #store: DocumentReader;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #limits: LoaderLimits;
  readonly #nowMs: () => number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;

  constructor(store: DocumentReader, logger: Logger, signal: AbortSignal, options: LoaderLimits & { readonly nowMs: () => number }) {
    this.#store = store;
    this.#logger = logger;
    this.#signal = signal;
    this.#limits = options;
    this.#nowMs = options.nowMs;
  }

  load(core: WorkerCore, slice: number, held: HeldDocument): void {
    const document = held.name;
    if (this.#isFull) {
      // Not within this call: the core is in the middle of something.
      void Promise.resolve().then(() => this.#failed(core, slice, held, new Error('too many documents wait to be read')));
      return;
    }
    this.#run(async () => {
      try {
        const startedMs = this.#nowMs();
        const stored = await this.#store.loadDocument(document, slice);
        core.loaded(slice, held, stored, this.#nowMs());
        this.#logger.debug(
          { document, ms: Math.round(this.#nowMs() - startedMs), pieces: stored.snapshot.pieces.length },
          'document loaded',
        );
      } catch (error) {
        this.#failed(core, slice, held, error);
      }
    });
  }

  refresh(core: WorkerCore, slice: number, held: HeldDocument, version: number): void {
    if (this.#isFull) {
      held.refreshing = false;
      return;
    }
    this.#run(async () => {
      try {
        if ((await this.#store.snapshotVersion(held.name)) > version)
          core.loaded(slice, held, await this.#store.loadDocument(held.name, slice), this.#nowMs());
        held.refreshing = false;
      } catch (error) {
        this.#failed(core, slice, held, error);
      }
    });
  }

  /** Never taken for an empty document: whoever opens it is told, and the next question tries again after a pause. */
  #failed(core: WorkerCore, slice: number, held: HeldDocument, error: unknown): void {
    if (this.#signal.aborted) return;
    this.#logger.warn({ err: error, document: held.name }, 'a document could not be loaded');
    core.loadFailed(slice, held, error instanceof Error ? error.message : String(error), this.#nowMs());
  }

  get #isFull(): boolean {
    return this.#waiting.length >= this.#limits.waitingMax;
  }

  #run(job: () => Promise<void>): void {
    if (this.#running >= this.#limits.atOnceMax) {
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

export interface LoaderLimits {
  readonly atOnceMax: number;
  readonly waitingMax: number;
}
