/** When to leave somebody alone who does not answer well: pure, time is passed in (SPEC A43). */
type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number; readonly pauseMs: number }
  /** One question is on its way to see whether it is well again. */
  | { readonly kind: 'half-open'; readonly pauseMs: number };

/** Of the last so many outcomes … */
const REMEMBERED_MAX = 20;
/** … so many must have failed at least, and half of them. */
const FAILED_MIN = 5;
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 30_000;

/** Which asking an outcome belongs to: one from before the state changed proves little of now. */
type Ticket = number;

export class Breaker {
  #state: State = { kind: 'closed' };
  #ticket: Ticket = 0;
  /** Whether it failed; oldest first. */
  #outcomes: boolean[] = [];

  /** `undefined`: do not ask now. Who gets a ticket says with it how it ended, by `succeeded` or `failed`. */
  ask(nowMs: number): Ticket | undefined {
    switch (this.#state.kind) {
      case 'closed':
        return this.#ticket;
      case 'half-open':
        return undefined;
      case 'open': {
        const { untilMs, pauseMs } = this.#state;
        if (nowMs < untilMs) return undefined;
        this.#enter({ kind: 'half-open', pauseMs });
        return this.#ticket;
      }
    }
  }

  /** True: this closed it. */
  succeeded(ticket: Ticket): boolean {
    if (ticket !== this.#ticket) return false;
    const isProbe = this.#state.kind === 'half-open';
    if (isProbe) this.#enter({ kind: 'closed' });
    this.#note(false);
    return isProbe;
  }

  /** For how long nobody is asked, when this opened it, or opened it again; `undefined` when it did not. */
  failed(ticket: Ticket, nowMs: number): number | undefined {
    if (ticket !== this.#ticket) return undefined;
    if (this.#state.kind === 'half-open') return this.#open(nowMs, Math.min(2 * this.#state.pauseMs, PAUSE_MS_MAX));
    this.#note(true);
    return this.#isBad() ? this.#open(nowMs, PAUSE_MS_MIN) : undefined;
  }

  #open(nowMs: number, pauseMs: number): number {
    this.#enter({ kind: 'open', untilMs: nowMs + pauseMs, pauseMs });
    return pauseMs;
  }

  #enter(state: State): void {
    this.#state = state;
    this.#ticket++;
    this.#outcomes = [];
  }

  #note(isFailure: boolean): void {
    this.#outcomes.push(isFailure);
    if (this.#outcomes.length > REMEMBERED_MAX) this.#outcomes.shift();
  }

  #isBad(): boolean {
    const failed = this.#outcomes.filter(Boolean).length;
    return failed >= FAILED_MIN && 2 * failed >= this.#outcomes.length;
  }
}
