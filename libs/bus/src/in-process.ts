import type { Logger } from '@weft/telemetry';
import { type Bus, BusClosed, type BusMessage, BusMessageTooLarge, BusNoResponders, type BusSubscription, BusTimeout } from './bus.ts';
import { matches, parsePattern, parseSubject, type SubjectPattern } from './subject.ts';

/** As NATS has it by default, so that what works on the laptop works in the cluster. */
const payloadBytesMaxDefault = 1024 * 1024;

/** Published and not yet delivered. Beyond it new messages are dropped, as a slow subscriber of NATS loses them. */
const pendingBytesMax = 64 * 1024 * 1024;

interface Subscriber {
  readonly owner: InProcessBus;
  readonly pattern: SubjectPattern;
  readonly queue: string | undefined;
  readonly handler: (message: BusMessage) => void;
  active: boolean;
}

interface Pending {
  readonly subject: string;
  readonly tokens: readonly string[];
  readonly data: Uint8Array;
  readonly request: PendingRequest | undefined;
}

interface PendingRequest {
  readonly answer: (data: Uint8Array) => void;
  readonly nobody: () => void;
}

export interface InProcessBusOptions {
  readonly logger: Logger;
  readonly payloadBytesMax?: number;
}

/**
 * The Bus inside one process. `sibling()` gives each part of the process a bus of its own on the same hub, which it may close without
 * closing the others'.
 */
export class InProcessBus implements Bus {
  readonly payloadBytesMax: number;
  readonly #hub: Hub;
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #requests = new Set<(reason: Error) => void>();
  #closed = false;

  constructor(options: InProcessBusOptions, hub: Hub = new Hub(options.logger)) {
    this.payloadBytesMax = options.payloadBytesMax ?? payloadBytesMaxDefault;
    this.#hub = hub;
  }

  sibling(): InProcessBus {
    return new InProcessBus({ logger: this.#hub.logger, payloadBytesMax: this.payloadBytesMax }, this.#hub);
  }

  get connected(): boolean {
    return !this.#closed;
  }

  publish(subject: string, data: Uint8Array): void {
    this.#assertFits(subject, data);
    if (!this.#closed) this.#hub.enqueue(subject, data, undefined);
  }

  subscribe(subject: string, handler: (message: BusMessage) => void, options: { queue?: string } = {}): BusSubscription {
    if (this.#closed) throw new BusClosed(`subscribe to ${subject}: the bus is closed`);
    return this.#hub.subscribe(this, subject, handler, options.queue);
  }

  request(subject: string, data: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(new BusClosed(`request to ${subject}: the bus is closed`));
    this.#assertFits(subject, data);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        if (!this.#requests.delete(fail)) return;
        clearTimeout(timer);
        act();
      };
      const fail = (reason: Error): void => settle(() => reject(reason));
      const timer = setTimeout(() => fail(new BusTimeout(`no answer on ${subject} within ${options.timeoutMs} ms`)), options.timeoutMs);
      this.#requests.add(fail);
      this.#hub.enqueue(subject, data, {
        answer: (bytes) => {
          this.#assertFits(`the reply to ${subject}`, bytes);
          const copy = bytes.slice();
          // Not from inside the handler's reply(): the asker runs later, as over a network.
          setImmediate(() => settle(() => resolve(copy)));
        },
        nobody: () => fail(new BusNoResponders(`nobody is subscribed to ${subject}`)),
      });
    });
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async flush(): Promise<void> {
    if (!this.#closed) await this.#hub.delivered();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hub.leave(this);
    for (const fail of this.#requests) fail(new BusClosed('the bus was closed'));
    await this.#hub.delivered();
    for (const listener of this.#listeners) listener(false);
  }

  #assertFits(what: string, data: Uint8Array): void {
    if (data.byteLength > this.payloadBytesMax) {
      throw new BusMessageTooLarge(`${what}: ${data.byteLength} bytes, at most ${this.payloadBytesMax} fit in a message`);
    }
  }
}

/** Who is subscribed, and what waits to be delivered, in the order of publishing. */
class Hub {
  readonly logger: Logger;
  readonly #subscribers = new Set<Subscriber>();
  readonly #turns = new Map<string, number>();
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #waiters: (() => void)[] = [];
  #scheduled = false;
  #dropping = false;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  subscribe(owner: InProcessBus, subject: string, handler: (message: BusMessage) => void, queue: string | undefined): BusSubscription {
    const subscriber: Subscriber = { owner, pattern: parsePattern(subject), queue, handler, active: true };
    this.#subscribers.add(subscriber);
    return { unsubscribe: () => this.#remove(subscriber) };
  }

  leave(owner: InProcessBus): void {
    for (const subscriber of this.#subscribers) if (subscriber.owner === owner) this.#remove(subscriber);
  }

  enqueue(subject: string, data: Uint8Array, request: PendingRequest | undefined): void {
    const tokens = parseSubject(subject);
    if (this.#pendingBytes + data.byteLength > pendingBytesMax) {
      if (!this.#dropping) this.logger.warn({ subject, pendingBytesMax }, 'bus: too much waits to be delivered, dropping messages');
      this.#dropping = true;
      return;
    }
    this.#pendingBytes += data.byteLength;
    this.#pending.push({ subject, tokens, data: data.slice(), request });
    this.#schedule();
  }

  /** Resolves once everything enqueued so far has been delivered. */
  delivered(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#schedule();
    });
  }

  #remove(subscriber: Subscriber): void {
    subscriber.active = false;
    this.#subscribers.delete(subscriber);
    if (subscriber.queue !== undefined && ![...this.#subscribers].some(({ queue }) => queue === subscriber.queue))
      this.#turns.delete(subscriber.queue);
  }

  /** setImmediate, not a microtask: two handlers that answer each other must not keep sockets and timers waiting. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#deliverBatch());
  }

  #deliverBatch(): void {
    const [batch, waiters] = [this.#pending, this.#waiters];
    [this.#pending, this.#waiters] = [[], []];
    this.#pendingBytes = 0;
    this.#scheduled = false;
    this.#dropping = false;
    for (const message of batch) this.#deliver(message);
    for (const resolve of waiters) resolve();
  }

  #deliver(message: Pending): void {
    const receivers = this.#receiversOf(message.tokens);
    if (receivers.length === 0) message.request?.nobody();
    for (const receiver of receivers) {
      if (!receiver.active) continue;
      try {
        receiver.handler({ subject: message.subject, data: message.data, reply: message.request?.answer });
      } catch (error) {
        this.logger.error({ err: error, subject: message.subject }, 'bus: a handler threw');
      }
    }
  }

  /** Everyone subscribed, but of each queue group one, in turn. */
  #receiversOf(subject: readonly string[]): Subscriber[] {
    const receivers: Subscriber[] = [];
    const groups = new Map<string, Subscriber[]>();
    for (const subscriber of this.#subscribers) {
      if (!matches(subscriber.pattern, subject)) continue;
      if (subscriber.queue === undefined) {
        receivers.push(subscriber);
        continue;
      }
      const group = groups.get(subscriber.queue);
      if (group) group.push(subscriber);
      else groups.set(subscriber.queue, [subscriber]);
    }
    for (const [queue, group] of groups) {
      const turn = this.#turns.get(queue) ?? 0;
      const chosen = group[turn % group.length];
      if (chosen) receivers.push(chosen);
      this.#turns.set(queue, turn + 1);
    }
    return receivers;
  }
}
