/** The pause is so many times what an answer takes: 1 left a core busy at half its ceiling (docs/performance.md). */
const pausePerAnswer = 3;
const pauseMsMax = 12;
/** Of each new answer's time, so much of the difference is believed. */
const gain = 0.2;

/**
 * How long a record waits for more to go along with it. Every record costs the gateway, the log, the workers and persistence a wake-up each, so their number must not follow the number of edits. How long the log
 * takes to answer tells how full the house is: the answer has passed through the same queues. So a record leaves no sooner than a multiple of that time after the last answer: on a busy house records are fewer and fuller, on one at
 * rest the first leaves at once.
 */
export class AppendPace {
  #leftAtMs = Number.NEGATIVE_INFINITY;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #answerMs = 0;

  /** A record was sent to the log. */
  left(nowMs: number): void {
    this.#leftAtMs = nowMs;
  }

  answered(nowMs: number): void {
    this.#answeredAtMs = nowMs;
    // One that took seconds tells of a log that was away, not of a busy house.
    const tookMs = Math.min(nowMs - this.#leftAtMs, pauseMsMax);
    this.#answerMs += gain * (tookMs - this.#answerMs);
  }

  /** Until the next record should leave; 0 or less: now. */
  pauseMs(nowMs: number): number {
    return this.#answeredAtMs + Math.min(pauseMsMax, pausePerAnswer * this.#answerMs) - nowMs;
  }
}
