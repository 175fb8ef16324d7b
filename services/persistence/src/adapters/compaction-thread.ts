import { Worker } from 'node:worker_threads';
import type { CompactionInput, CompactionResult } from '../compact-document.ts';
import { ownMemory } from './own-memory.ts';

export type ThreadAnswer = { readonly ok: true; readonly result: CompactionResult } | { readonly ok: false; readonly message: string };

export interface CompactionThreadOptions {
  /** Longest compaction of one document, ms. */
  readonly timeoutMs: number;
  /** JavaScript heap of the thread: a document that needs more fails, and stays served from snapshot and tail. */
  readonly heapBytes: number;
}

export class CompactionFailed extends Error {
  override readonly name = 'CompactionFailed';
}

/** A thread is let go after this long without work: it gives back what a large document made it take. */
const IDLE_MS = 30_000;

/**
 * One worker thread for all slices, started at the first document. Callers wait in line; each slice compacts one document at a time, so at most as
 * many wait as there are slices.
 */
export class CompactionThread {
  readonly #options: CompactionThreadOptions;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #line: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: CompactionThreadOptions) {
    this.#options = options;
  }

  /** Takes `input`'s bytes away. Rejects with CompactionFailed: it took too long, ran out of memory, or the document cannot be compacted. */
  compact(input: CompactionInput): Promise<CompactionResult> {
    const turn = this.#line.then(() => this.#compactNow(input));
    this.#line = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#letGo();
  }

  async #compactNow(input: CompactionInput): Promise<CompactionResult> {
    if (this.#closed) throw new CompactionFailed('the service stops');
    clearTimeout(this.#idle);
    this.#worker ??= startWorker(this.#options.heapBytes);
    const worker = this.#worker;
    try {
      const answer = await answerOf(worker, input, this.#options.timeoutMs);
      if (!answer.ok) throw new CompactionFailed(answer.message);
      return answer.result;
    } catch (error) {
      // After a time-out or a crash the thread is of no use; after a document it could not bear, of doubtful use.
      await this.#letGo();
      throw error;
    } finally {
      if (this.#worker !== undefined) {
        this.#idle = setTimeout(() => void this.#letGo(), IDLE_MS);
        this.#idle.unref();
      }
    }
  }

  async #letGo(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function startWorker(heapBytes: number): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: Math.ceil(heapBytes / (1 << 20)) };
  const here = import.meta.url;
  const worker = here.endsWith('.ts')
    ? new Worker(new URL('./compaction-worker.source.mjs', here), { resourceLimits, execArgv: ['--conditions=weft-source'] })
    : new Worker(new URL('./compaction-worker.js', here), { resourceLimits });
  worker.unref();
  return worker;
}

function answerOf(worker: Worker, input: CompactionInput, timeoutMs: number): Promise<ThreadAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new CompactionFailed(`it took more than ${timeoutMs} ms`))), timeoutMs);
    const onMessage = (answer: ThreadAnswer): void => settle(() => resolve(answer));
    const onError = (cause: Error): void => settle(() => reject(new CompactionFailed(`the thread failed: ${cause.message}`, { cause })));
    const onExit = (code: number): void => settle(() => reject(new CompactionFailed(`the thread ended with ${code}`)));
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      then();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    // Bytes read from Postgres stand on memory of their own.
    worker.postMessage(input, ownMemory([...input.pieces, ...input.tail.map(({ update }) => update)]));
  });
}
