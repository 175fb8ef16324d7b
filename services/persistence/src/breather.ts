import type { Clock } from '@weft/lifecycle';

/** Longest stretch of work on the main thread, ms. In standalone the gateway's sockets wait for it. */
const STRETCH_MS = 5;

/** For loops over much: gives the event loop a turn when the stretch is used up. */
export class Breather {
  readonly #clock: Clock;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.now();
  }

  async breathe(): Promise<void> {
    if (this.#clock.now() - this.#sinceMs < STRETCH_MS) return;
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#sinceMs = this.#clock.now();
  }
}
