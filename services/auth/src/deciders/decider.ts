import type { Decision, Question } from '@weft/grants';

/** It cannot be said now: what would know is away. Neither a yes nor a no. The message is for the log and bears nothing of a token. */
export class DeciderUnavailable extends Error {
  override readonly name = 'DeciderUnavailable';
  readonly code = 'decider-unavailable';
}

/** One way to decide who may what (decision 0012). */
export interface Decider {
  /**
   * Never rejects for what is in the question. Rejects with DeciderUnavailable when it cannot be said: the question is then left unanswered, and who asked takes
   * that as "unavailable".
   */
  decide(question: Question): Promise<Decision>;
}
