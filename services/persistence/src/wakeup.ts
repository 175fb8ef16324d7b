import type { Clock } from '@weft/lifecycle';

/** One loop waits, others wake it. A `wake` while nobody waits is remembered: no news is missed between a look and the wait. */
export class Wakeup {
  readonly #clock: Clock;
  #woken = false;
  #resume: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#woken = true;
    this.#resume?.();
  }

  /** Resolves at the next `wake`, or after `ms`. One waiter at a time. */
  async wait(ms?: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const callOff = ms === undefined ? undefined : this.#clock.after(ms, resolve);
        this.#resume = () => {
          callOff?.();
          resolve();
        };
      });
    }
    this.#resume = undefined;
    this.#woken = false;
  }
}
