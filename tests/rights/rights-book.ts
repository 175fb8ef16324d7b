import type { Bus } from '@weft/bus';
import {
  type Allowed,
  AUTH_CHANGED_SUBJECT,
  AUTH_CHECK_SUBJECT,
  AUTH_QUEUE,
  type Changed,
  decodeQuestion,
  encodeChanged,
  encodeDecision,
  type Question,
  type Role,
} from '@weft/grants';

export interface Entry {
  readonly user?: string;
  readonly session?: string;
  readonly role?: Role;
  readonly untilMs?: number;
}

/** Auth with a book of rights that a test writes: answers what is asked over the bus, and says that something changed. */
export class RightsBook {
  readonly #bus: Bus;
  readonly #entries = new Map<string, Entry>();
  readonly #refused = new Map<string, string>();
  readonly asked: Question[] = [];
  /** Called with each question; false leaves it unanswered. */
  onQuestion: (question: Question) => boolean = () => true;

  constructor(bus: Bus) {
    this.#bus = bus;
    bus.subscribe(
      AUTH_CHECK_SUBJECT,
      ({ data, reply }) => {
        const question = decodeQuestion(data);
        this.asked.push(question);
        const answer = encodeDecision(this.#decide(question));
        if (this.onQuestion(question)) reply?.(answer);
      },
      { queue: AUTH_QUEUE },
    );
  }

  /** What a token gives, for every document that is not refused to it. */
  write(token: string, entry: Entry = {}): void {
    this.#entries.set(token, { ...this.#entries.get(token), ...entry });
  }

  /** Nothing is said of it. */
  refuse(token: string, document: string, reason = 'you may not any more'): void {
    this.#refused.set(`${token}\0${document}`, reason);
  }

  say(changed: Changed): void {
    this.#bus.publish(AUTH_CHANGED_SUBJECT, encodeChanged(changed));
  }

  #decide({ token, document }: Question): Allowed | { allowed: false; status: 401 | 403; reason: string } {
    const reason = this.#refused.get(`${token}\0${document}`);
    if (reason !== undefined) return { allowed: false, status: 403, reason };
    const entry = this.#entries.get(token);
    const untilMs = entry?.untilMs ?? Date.now() + 3_600_000;
    if (!entry || untilMs <= Date.now())
      return { allowed: false, status: 401, reason: entry ? 'token expired' : 'nobody knows this token' };
    const { user = token, role = 'editor', session } = entry;
    return { allowed: true, role, who: { id: user, name: user }, untilMs, ...(session === undefined ? {} : { session }) };
  }
}
