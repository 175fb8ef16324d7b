import { createInbox, errors, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** What NATS answers with when nobody is subscribed (https://docs.nats.io/nats-concepts/core-nats/reqreply). */
const noResponders = 503;

/**
 * Appends on their way, by the subject their answer comes to. Instead of the library's `request`, which makes for each of them an error with its stack, a race of promises and a subscription's search: an append is on
 * every edit's way.
 */
export class JetStreamAppends {
  readonly #connection: NatsConnection;
  readonly #timeoutMs: number;
  readonly #inbox = createInbox();
  readonly #waiting = new Map<string, Waiting>();
  #sent = 0;

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    connection.subscribe(`${this.#inbox}.*`, { callback: (error, message) => this.#hear(error, message) });
  }

  /** The answer as it came. Rejects with NoRespondersError, TimeoutError, what `failAll` was given, or what the library throws. */
  append(subject: string, record: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const reply = `${this.#inbox}.${(this.#sent++).toString(36)}`;
      this.#connection.publish(subject, record, { reply });
      const timer = setTimeout(() => this.#take(reply)?.reject(new errors.TimeoutError()), this.#timeoutMs);
      this.#waiting.set(reply, { resolve, reject, timer });
    });
  }

  /** Their answers are lost. */
  failAll(error: Error): void {
    for (const reply of this.#waiting.keys()) this.#take(reply)?.reject(error);
  }

  #hear(error: Error | null, message: Msg): void {
    if (error) return this.failAll(error);
    const waiting = this.#take(message.subject);
    if (message.data.byteLength === 0 && message.headers?.code === noResponders)
      waiting?.reject(new errors.NoRespondersError(message.subject));
    else waiting?.resolve(message.data);
  }

  #take(reply: string): Waiting | undefined {
    const waiting = this.#waiting.get(reply);
    this.#waiting.delete(reply);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

interface Waiting {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}
