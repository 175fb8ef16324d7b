import { errors, type Msg, type NatsConnection, type Status } from '@nats-io/transport-node';
import type { Logger } from '@weft/telemetry';
import { type Bus, BusClosed, type BusMessage, BusMessageTooLarge, BusNoResponders, type BusSubscription, BusTimeout } from './bus.ts';
import { connectNats, type NatsOptions } from './nats-connection.ts';
import { OutgoingWindow } from './outgoing-window.ts';
import { parsePattern, parseSubject } from './subject.ts';

/** How long `close` waits for the server to take what was published. */
const closeMsMax = 2_000;

export interface NatsBusOptions extends NatsOptions {
  readonly logger: Logger;
}

/** The Bus on core NATS. */
export class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  readonly #logger: Logger;
  readonly #window: OutgoingWindow;
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #requests = new Set<(reason: Error) => void>();
  #payloadBytesMax: number;
  #connected = true;
  #closing: Promise<void> | undefined;
  #dropped = 0;

  /** Rejects with NatsUnreachable; trying again is the caller's. Once connected it reconnects for ever by itself. */
  static async connect(options: NatsBusOptions): Promise<NatsBus> {
    return new NatsBus(await connectNats(options), options.logger);
  }

  private constructor(connection: NatsConnection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    this.#payloadBytesMax = connection.info?.max_payload ?? 0;
    this.#window = new OutgoingWindow(() => connection.flush());
    void this.#watch();
  }

  get payloadBytesMax(): number {
    return this.#payloadBytesMax;
  }

  get connected(): boolean {
    return this.#connected;
  }

  publish(subject: string, data: Uint8Array): void {
    parseSubject(subject);
    this.#send(subject, data, (copy) => this.#connection.publish(subject, copy));
  }

  subscribe(subject: string, handler: (message: BusMessage) => void, options: { queue?: string } = {}): BusSubscription {
    parsePattern(subject);
    if (this.#closing) throw new BusClosed(`subscribe to ${subject}: the bus is closed`);
    const subscription = this.#connection.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        // The library ends the subscription then (a right is missing): an operator has to act.
        if (error) this.#logger.error({ err: error, subject }, 'bus: the server refuses a subscription');
        else this.#handle(handler, message);
      },
    });
    return { unsubscribe: () => subscription.unsubscribe() };
  }

  request(subject: string, data: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array> {
    if (this.#closing) return Promise.reject(new BusClosed(`request to ${subject}: the bus is closed`));
    parseSubject(subject);
    this.#assertFits(subject, data);
    return new Promise((resolve, reject) => {
      this.#requests.add(reject);
      const done = (): void => void this.#requests.delete(reject);
      const accepted = this.#send(subject, data, (copy) => {
        this.#connection.request(subject, copy, { timeout: options.timeoutMs }).then(
          (message) => {
            done();
            resolve(message.data);
          },
          (error: unknown) => {
            done();
            reject(requestFailure(subject, error, options.timeoutMs));
          },
        );
      });
      if (accepted) return;
      done();
      reject(new BusNoResponders(`request to ${subject}: not connected, or too much waits to be sent`));
    });
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async flush(): Promise<void> {
    if (!this.#connected) return;
    await this.#connection
      .flush()
      .catch((error: unknown) => this.#logger.debug({ err: error }, 'bus: the connection broke during a flush'));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const reject of this.#requests) reject(new BusClosed('the bus was closed'));
    this.#requests.clear();
    if (this.#connected) await this.#drain();
    await this.#connection.close();
    this.#changed(false);
  }

  async #drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMsMax);
    });
    const drained = this.#connection
      .drain()
      .catch((error: unknown) => this.#logger.debug({ err: error }, 'bus: closing, the connection broke'));
    await Promise.race([drained, late]);
    clearTimeout(timer);
  }

  /** False: dropped. The library keeps what it is given until it writes, after this call: hence the copy. */
  #send(subject: string, data: Uint8Array, publish: (copy: Uint8Array) => void): boolean {
    this.#assertFits(subject, data);
    if (this.#closing || !this.#connected || !this.#window.take(data.byteLength)) {
      this.#drop(subject);
      return false;
    }
    publish(data.slice());
    this.#window.sent();
    if (this.#dropped > 0) this.#flowsAgain();
    return true;
  }

  #flowsAgain(): void {
    this.#logger.info({ dropped: this.#dropped }, 'bus: messages flow again');
    this.#dropped = 0;
  }

  #drop(subject: string): void {
    this.#dropped += 1;
    if (this.#dropped === 1 && this.#connected) this.#logger.warn({ subject }, 'bus: the server is too slow, dropping messages');
  }

  #assertFits(what: string, data: Uint8Array): void {
    if (data.byteLength > this.#payloadBytesMax) {
      throw new BusMessageTooLarge(`${what}: ${data.byteLength} bytes, at most ${this.#payloadBytesMax} fit in a message`);
    }
  }

  /** An error must not leave the callback: it would end the library's reading for good. */
  #handle(handler: (message: BusMessage) => void, message: Msg): void {
    const { subject, data, reply } = message;
    try {
      handler({ subject, data, reply: reply === undefined || reply === '' ? undefined : (answer) => this.#answer(reply, answer) });
    } catch (error) {
      this.#logger.error({ err: error, subject }, 'bus: a handler threw');
    }
  }

  #answer(reply: string, data: Uint8Array): void {
    this.#send('a reply', data, (copy) => this.#connection.publish(reply, copy));
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) this.#note(status);
  }

  #note(status: Status): void {
    switch (status.type) {
      case 'disconnect':
        this.#logger.warn({ server: status.server }, 'NATS is away; reconnecting');
        this.#changed(false);
        return;
      case 'reconnect':
        this.#payloadBytesMax = this.#connection.info?.max_payload ?? this.#payloadBytesMax;
        void this.#back(status.server);
        return;
      case 'error':
        this.#logger.warn({ err: status.error }, 'NATS reports an error');
        return;
      case 'ldm':
        this.#logger.info({ server: status.server }, 'NATS: this server is about to leave');
        return;
      default:
    }
  }

  /** Connected means that our subscriptions stand: the library has sent them, the server's answer to a PING after them says it has them. */
  async #back(server: string): Promise<void> {
    try {
      await this.#connection.flush();
    } catch (error) {
      this.#logger.debug({ err: error }, 'bus: lost again at once');
      return;
    }
    if (this.#closing) return;
    this.#logger.info({ server }, 'NATS is back');
    this.#changed(true);
  }

  #changed(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    for (const listener of this.#listeners) listener(connected);
  }
}

function requestFailure(subject: string, error: unknown, timeoutMs: number): Error {
  if (error instanceof errors.NoRespondersError) return new BusNoResponders(`nobody is subscribed to ${subject}`, { cause: error });
  if (error instanceof errors.RequestError && error.isNoResponders())
    return new BusNoResponders(`nobody is subscribed to ${subject}`, { cause: error });
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) {
    return new BusClosed(`request to ${subject}: the bus is closed`, { cause: error });
  }
  // A connection that broke meanwhile: the answer, if any, is lost.
  return new BusTimeout(`no answer on ${subject} within ${timeoutMs} ms`, { cause: error });
}
