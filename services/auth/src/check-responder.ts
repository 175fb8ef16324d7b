import { AUTH_CHECK_SUBJECT, AUTH_QUEUE, MalformedAuthMessage, decodeQuestion, encodeDecision } from '@weft/grants';
import type { Decision, Question } from '@weft/grants';
import type { Bus, BusMessage, BusSubscription } from '@weft/bus';
import type { Logger } from '@weft/telemetry';

import { DeciderUnavailable } from './deciders/decider.ts';

export interface CheckResponderDeps {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly decide: (question: Question) => Promise<Decision>;
  /** Called once for each question: how it ended. */
  readonly count: (outcome: 'allowed' | 'refused' | 'unavailable' | 'malformed' | 'overloaded') => void;
}

/** Questions under way at once; each costs about 0.1 ms of one core (SPEC A10). */
const UNDER_WAY_MAX = 1000;

/** Answers `weft.auth.check`: one of all auth processes gets each question. */
export class CheckResponder {
  readonly #deps: CheckResponderDeps;
  readonly #underWay = new Set<Promise<void>>();
  #subscription: BusSubscription | undefined;

  constructor(deps: CheckResponderDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#subscription = this.#deps.bus.subscribe(AUTH_CHECK_SUBJECT, (message) => this.#take(message), { queue: AUTH_QUEUE });
  }

  /** Takes no more questions; resolves once those under way are answered and the answers are out. */
  async drain(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    await Promise.all(this.#underWay);
    await this.#deps.bus.flush();
  }

  #take(message: BusMessage): void {
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#deps.count('overloaded');
      return;
    }
    const answer = this.#answer(message).finally(() => this.#underWay.delete(answer));
    this.#underWay.add(answer);
  }

  async #answer({ data, reply }: BusMessage): Promise<void> {
    if (reply === undefined) return;
    try {
      const decision = await this.#deps.decide(decodeQuestion(data));
      this.#deps.count(decision.allowed ? 'allowed' : 'refused');
      reply(encodeDecision(decision));
    } catch (error) {
      // Unanswered on purpose: who asked takes it as "unavailable" and tries again, never as a no.
      if (error instanceof DeciderUnavailable) {
        // The decider has said in the log that somebody is away, once and not for each question.
        this.#deps.count('unavailable');
        this.#deps.logger.debug({ err: error }, 'a question was left unanswered');
        return;
      }
      this.#deps.count('malformed');
      const what = error instanceof MalformedAuthMessage ? 'a malformed question was left unanswered' : 'a question could not be answered';
      this.#deps.logger.error({ err: error }, what);
    }
  }
}
