import { Worker } from 'node:worker_threads';

/** Longest a document may take. */
const timeoutMs = 60_000;

/** Runs `completeDeletes` in threads of their own, one at a time: it is rarely asked, and a thread that is gone holds nothing. */
export class DeletesThread {
  #line: Promise<unknown> = Promise.resolve();
  #worker: Worker | undefined;

  /** Rejects when the thread fails or takes too long. */
  run(updates: readonly Uint8Array[]): Promise<Uint8Array> {
    const turn = this.#line.then(() => this.#runNow(updates));
    this.#line = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  async #runNow(updates: readonly Uint8Array[]): Promise<Uint8Array> {
    const worker = startWorker(updates);
    this.#worker = worker;
    try {
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no deletes within ${timeoutMs} ms`)), timeoutMs);
        timer.unref();
        worker.once('message', resolve).once('error', reject);
        worker.once('exit', () => {
          clearTimeout(timer);
          reject(new Error('the thread ended without an answer'));
        });
      });
    } finally {
      this.#worker = undefined;
      await worker.terminate();
    }
  }
}

function startWorker(updates: readonly Uint8Array[]): Worker {
  const here = import.meta.url;
  const worker = here.endsWith('.ts')
    ? new Worker(new URL('./deletes-worker.source.mjs', here), { workerData: updates, execArgv: ['--conditions=weft-source'] })
    : new Worker(new URL('./deletes-worker.js', here), { workerData: updates });
  worker.unref();
  return worker;
}
