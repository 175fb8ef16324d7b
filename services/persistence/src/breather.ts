/** Longest stretch of work on the main thread, ms. In standalone the gateway's sockets wait for it. */
const STRETCH_MS = 5;

/** For loops over much: gives the event loop a turn when the stretch is used up. */
export class Breather {
  #sinceMs = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.#sinceMs < STRETCH_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#sinceMs = performance.now();
  }
}
