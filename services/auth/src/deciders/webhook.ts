import { createHash } from 'node:crypto';

import type { Bus, BusSubscription } from '@weft/bus';
import { AUTH_CHANGED_SUBJECT, MalformedAuthMessage, RecentChanges, concerns, decodeChanged } from '@weft/grants';
import type { Allowed, Changed, Decision, Question } from '@weft/grants';
import type { Logger } from '@weft/telemetry';

import { decideAtOnce, refuse } from './at-once.ts';
import type { Policy } from './at-once.ts';
import { Breaker } from './breaker.ts';
import { DeciderUnavailable } from './decider.ts';
import type { Decider } from './decider.ts';
import { EXPECTED_ANSWER, MalformedWebhookAnswer } from './webhook-answer.ts';
import { callWebhook } from './webhook-call.ts';
import type { WebhookConfig } from './webhook-call.ts';

export interface WebhookDeciderDeps {
  readonly config: WebhookConfig;
  readonly policy: Policy;
  readonly logger: Logger;
  readonly bus: Bus;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly timeoutMs?: number;
  readonly keptMax?: number;
  readonly underWayMax?: number;
}

const TIMEOUT_MS = 5_000;
/** How long a yes is believed; a change on the bus ends it earlier. */
const KEPT_MS = 30_000;
const KEPT_MAX = 20_000;
/** Questions to the backend at once; one above that is left unanswered. */
const UNDER_WAY_MAX = 100;
/** The backend says nothing of an end: whoever keeps the allowance asks again every minute, and at the latest then. */
const ALLOWED_MS = 24 * 3_600_000;
/** Changes that come faster than answers: after so many the question is left unanswered. */
const ASKED_MAX = 3;

interface Kept {
  readonly document: string;
  readonly allowed: Allowed;
  readonly untilMs: number;
}

/** `WEFT_AUTH=webhook`: the operator's backend says (SPEC A40–A45). Whenever it does not, the answer is "unavailable": neither a yes nor a no. */
export class WebhookDecider implements Decider {
  readonly #deps: WebhookDeciderDeps;
  readonly #breaker = new Breaker();
  readonly #changes: RecentChanges;
  /** By a hash of token and document, oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #underWay = new Map<string, Promise<Decision>>();
  readonly #subscription: BusSubscription;
  /** The last answer was malformed: said once, until there is a good one. */
  #saidMalformed = false;

  constructor(deps: WebhookDeciderDeps) {
    this.#deps = deps;
    this.#changes = new RecentChanges({ now: () => performance.now(), keptMs: ASKED_MAX * (deps.timeoutMs ?? TIMEOUT_MS) });
    this.#subscription = deps.bus.subscribe(AUTH_CHANGED_SUBJECT, ({ data }) => this.#heard(data));
  }

  async decide(question: Question): Promise<Decision> {
    const nowMs = this.#deps.now();
    const atOnce = decideAtOnce(question, this.#deps.policy, nowMs);
    if (atOnce !== undefined) return atOnce;
    const key = keyOf(question);
    return this.#fresh(key, nowMs) ?? this.#underWay.get(key) ?? this.#start(key, question);
  }

  close(): void {
    this.#subscription.unsubscribe();
  }

  #fresh(key: string, nowMs: number): Allowed | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (nowMs < kept.untilMs) return kept.allowed;
    this.#kept.delete(key);
    return undefined;
  }

  #start(key: string, question: Question): Promise<Decision> {
    const underWayMax = this.#deps.underWayMax ?? UNDER_WAY_MAX;
    if (this.#underWay.size >= underWayMax) {
      return Promise.reject(new DeciderUnavailable(`${underWayMax} questions to the backend are under way already`));
    }
    const answer = this.#ask(key, question).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, answer);
    return answer;
  }

  /** Asked again when what was said may have changed while it was on its way. */
  async #ask(key: string, question: Question): Promise<Decision> {
    for (let asked = 0; asked < ASKED_MAX; asked++) {
      const { last } = this.#changes;
      const decision = await this.#guarded(question);
      if (!decision.allowed) return decision;
      const of = { user: decision.who.id, document: question.document };
      if (this.#changes.cameSince(last, of)) continue;
      this.#keep(key, question.document, decision);
      return decision;
    }
    throw new DeciderUnavailable('rights changed each time the backend was asked');
  }

  async #guarded(question: Question): Promise<Decision> {
    const { config, now, timeoutMs = TIMEOUT_MS } = this.#deps;
    const ticket = this.#breaker.ask(now());
    if (ticket === undefined) throw new DeciderUnavailable('the backend failed and is left alone for a moment');
    try {
      const { answer, status } = await callWebhook(config, question, { nowMs: now(), timeoutMs });
      this.#answered(ticket);
      this.#saidMalformed = false;
      if ('refused' in answer) return refuse(status === 401 ? 401 : 403, reasonFit(answer.refused, question.token));
      return { allowed: true, role: answer.role, who: answer.user, untilMs: now() + ALLOWED_MS };
    } catch (error) {
      throw this.#failed(error, ticket);
    }
  }

  #answered(ticket: number): void {
    if (this.#breaker.succeeded(ticket)) this.#deps.logger.info('the backend answers again');
  }

  #failed(error: unknown, ticket: number): DeciderUnavailable {
    const { logger, now } = this.#deps;
    if (error instanceof MalformedWebhookAnswer) {
      // It is there and answers: to leave it alone would not mend what it says of this token.
      this.#answered(ticket);
      if (!this.#saidMalformed) logger.error({ problem: error.message, expected: EXPECTED_ANSWER }, 'the backend gave a malformed answer');
      this.#saidMalformed = true;
      return new DeciderUnavailable('the backend gave a malformed answer', { cause: error });
    }
    const pauseMs = this.#breaker.failed(ticket, now());
    if (pauseMs !== undefined) logger.error({ err: error, pauseMs }, 'the backend fails and is left alone for a moment');
    return new DeciderUnavailable('the backend gave no answer', { cause: error });
  }

  #keep(key: string, document: string, allowed: Allowed): void {
    this.#kept.delete(key);
    if (this.#kept.size >= (this.#deps.keptMax ?? KEPT_MAX)) {
      const oldest = this.#kept.keys().next();
      if (!oldest.done) this.#kept.delete(oldest.value);
    }
    this.#kept.set(key, { document, allowed, untilMs: this.#deps.now() + KEPT_MS });
  }

  #heard(data: Uint8Array): void {
    let changed: Changed;
    try {
      changed = decodeChanged(data);
    } catch (err) {
      if (!(err instanceof MalformedAuthMessage)) throw err;
      this.#deps.logger.warn({ err }, 'a malformed change was passed over');
      return;
    }
    this.#changes.note(changed);
    for (const [key, { document, allowed }] of this.#kept) {
      if (concerns(changed, { user: allowed.who.id, document })) this.#kept.delete(key);
    }
  }
}

/** Reasons are logged and shown: one that quotes the token is not. */
function reasonFit(reason: string, token: string): string {
  return reason.includes(token) ? 'refused by the backend' : reason;
}

/** A token is not kept after its question. Its length keeps two different pairs from running together into one text. */
function keyOf({ token, document }: Question): string {
  return createHash('sha256').update(`${token.length}:${token}${document}`).digest('base64');
}
