import { type Bus, type BusMessage, BusMessageTooLarge, type BusSubscription } from '@weft/bus';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimProcess } from './sim-process.ts';

/** What goes wrong on the bus at the moment. All zero: nothing. */
export interface BusWeather {
  /** Chance of a message to one receiver being lost, of being heard twice, and of being late by up to `lateMs`. */
  lost: number;
  twice: number;
  late: number;
  lateMs: number;
}

/**
 * Core NATS as the contract of libs/bus says: at most once but for what the weather adds, in order for one publisher and one subject, no order across
 * subjects or publishers.
 */
export class SimNetwork {
  readonly weather: BusWeather = { lost: 0, twice: 0, late: 0, lateMs: 0 };
  readonly payloadBytesMax: number;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #subscribers = new Map<string, Set<Subscriber>>();
  readonly #arrivals = new Map<string, number>();
  readonly #parted = new Set<string>();
  readonly #tap: (message: BusMessage, from: SimProcess) => void;
  lostMessages = 0;

  constructor(parts: {
    scheduler: Scheduler;
    random: Random;
    payloadBytesMax: number;
    tap: (message: BusMessage, from: SimProcess) => void;
  }) {
    this.#scheduler = parts.scheduler;
    this.#random = parts.random;
    this.payloadBytesMax = parts.payloadBytesMax;
    this.#tap = parts.tap;
  }

  busOf(process: SimProcess): Bus {
    const refused = (): never => {
      throw new Error('the simulated bus has no requests');
    };
    return {
      payloadBytesMax: this.payloadBytesMax,
      get connected() {
        return !process.isCut;
      },
      publish: (subject, data) => this.publish(process, subject, data),
      subscribe: (subject, handler) => this.#subscribe(process, subject, handler),
      request: refused,
      onConnection: () => () => {},
      flush: () => process.settle(1, () => {}),
      close: () => Promise.resolve(),
    };
  }

  publish(from: SimProcess, subject: string, data: Uint8Array): void {
    if (data.byteLength > this.payloadBytesMax) throw new BusMessageTooLarge(`${subject}: ${data.byteLength} bytes`);
    const message = { subject, data: data.slice() };
    this.#tap(message, from);
    if (from.isCut) return;
    for (const subscriber of this.#subscribers.get(subject) ?? []) this.#send(from, subscriber, message);
  }

  /** No message passes between the two until `join`. */
  part(one: string, other: string): void {
    this.#parted.add(`${one} ${other}`).add(`${other} ${one}`);
  }

  joinAll(): void {
    this.#parted.clear();
  }

  #send(from: SimProcess, subscriber: Subscriber, message: BusMessage): void {
    const { lost, twice, late, lateMs } = this.weather;
    const { process } = subscriber;
    const key = `${from.name} ${process.name}`;
    if (this.#parted.has(key) || this.#random.chance(lost)) {
      this.lostMessages += 1;
      return;
    }
    const latencyMs = this.#random.between(0.2, 2) + (this.#random.chance(late) ? this.#random.between(0, lateMs) : 0);
    const lane = `${key} ${message.subject}`;
    const atMs = Math.max(this.#arrivals.get(lane) ?? 0, this.#scheduler.nowMs + latencyMs);
    this.#arrivals.set(lane, atMs);
    const deliver = (): void => {
      if (subscriber.active && !process.isCut) process.run(() => subscriber.handler(message));
    };
    this.#scheduler.after(atMs - this.#scheduler.nowMs, deliver);
    if (this.#random.chance(twice)) this.#scheduler.after(atMs - this.#scheduler.nowMs, deliver);
  }

  #subscribe(process: SimProcess, subject: string, handler: (message: BusMessage) => void): BusSubscription {
    if (/[*>]/.test(subject)) throw new Error(`the simulated bus has no wildcards: ${subject}`);
    const subscriber: Subscriber = { process, handler, active: true };
    const subscribers = this.#subscribers.get(subject) ?? new Set();
    this.#subscribers.set(subject, subscribers.add(subscriber));
    return {
      unsubscribe: () => {
        subscriber.active = false;
        subscribers.delete(subscriber);
      },
    };
  }
}

interface Subscriber {
  readonly process: SimProcess;
  readonly handler: (message: BusMessage) => void;
  active: boolean;
}
