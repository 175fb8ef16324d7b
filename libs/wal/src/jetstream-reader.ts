import { AckPolicy, DeliverPolicy, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Logger } from '@weft/telemetry';
import { findStream, type SliceStream } from './jetstream-stream.ts';
import { type LogRecord, WalClosed, type WalReader, WalReplaced, WalTrimmed, WalUnusable } from './wal.ts';

/** One pull asks for so much; the next leaves when the reader has taken the last. So at most two of them are held. */
const pullBytes = 8 * 1024 * 1024;
const pullRecords = 1_000;
const pullExpiresMs = 30_000;
const heartbeatMs = 1_000;
/** Nothing heard for so long: the consumer is gone (with the server that had it). */
const silenceMsMax = 2_500;
/** The server forgets a consumer nobody pulls from. */
const consumerIdleMs = 30_000;
const retryMsMin = 50;
const retryMsMax = 2_000;
/** A new leader may not have applied everything yet: how long a `last` below what was read is taken for that. */
const backwardsMsMax = 5_000;

/** https://docs.nats.io/reference/reference-protocols/nats_api_reference and server/consumer.go: how a pull ends, in its status messages. */
const statusHeartbeat = 100;
const statusTimeout = 408;
const statusConflict = 409;
const statusNotFound = 404;
/** The pull's bytes are used up. Of all 409s the only one after which the consumer is as it was. */
const bytesUsedUp = /exceeds maxbytes/i;

/**
 * Reads a slice from a position on, without gaps.
 *
 * 1. Make an ephemeral consumer at the next position; THEN ask the stream who it is. A consumer goes with its stream and identities never come back,
 *    so whatever this consumer delivers is of the identity just seen. (The library's own ordered consumer makes itself anew without that
 *    question, and would go on in another log.)
 * 2. Pull. Every record has to be the next position, else the session ends.
 * 3. Whatever goes wrong (silence, a lost connection, a consumer gone) ends the session; a new one begins at 1.
 */
export class JetStreamReader implements WalReader {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #logger: Logger;
  readonly #stream: SliceStream;
  readonly #onClose: () => void;
  #next: number;
  #held: LogRecord[] = [];
  #failure: Error | undefined;
  #waiting: { resolve: (records: readonly LogRecord[]) => void; reject: (error: Error) => void } | undefined;
  #session: Session | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = retryMsMin;
  #backwardsSince: number | undefined;

  constructor(
    nats: { readonly connection: NatsConnection; readonly manager: JetStreamManager; readonly logger: Logger },
    stream: SliceStream,
    from: number,
    onClose: () => void,
  ) {
    this.#connection = nats.connection;
    this.#manager = nats.manager;
    this.#logger = nats.logger;
    this.#stream = stream;
    this.#next = from;
    this.#onClose = onClose;
    void this.#begin();
  }

  next(): Promise<readonly LogRecord[]> {
    if (this.#waiting) throw new TypeError('next: the call before is not answered yet');
    if (this.#held.length > 0) {
      const records = this.#held;
      this.#held = [];
      this.#session?.pullIfDry();
      return Promise.resolve(records);
    }
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** The connection was lost, or is back: do not wait for silence to tell. */
  restart(connected: boolean): void {
    this.#retryMs = retryMsMin;
    if (this.#session) this.#end('the connection changed');
    else if (connected && this.#retry) this.#beginSoon();
  }

  async close(): Promise<void> {
    if (this.#failure instanceof WalClosed) return;
    this.#held = [];
    this.#fail(new WalClosed('the reader is closed'));
    this.#onClose();
  }

  async #begin(): Promise<void> {
    const session = new Session(this.#connection, this.#stream.name, {
      record: (record, isFirst) => this.#take(record, isFirst),
      ended: (why) => this.#end(why),
      dry: () => this.#held.length === 0,
    });
    this.#session = session;
    try {
      await this.#open(session);
    } catch (error) {
      if (error instanceof WalReplaced || error instanceof WalTrimmed || error instanceof WalUnusable) this.#fail(error);
      else if (this.#session === session) this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  async #open(session: Session): Promise<void> {
    const consumer = await this.#makeConsumer();
    const now = await findStream(this.#manager, this.#stream.name, this.#stream.slice);
    if (now?.identity !== this.#stream.identity) {
      throw new WalReplaced(
        `slice ${this.#stream.slice}: the log ${this.#stream.identity} is gone, there is ${now ? now.identity : 'none'} now`,
      );
    }
    const { first_seq: first, last_seq: last } = now.info.state;
    if (this.#next < first) throw trimmed(this.#stream.slice, this.#next, first);
    if (this.#next > last + 1) this.#assertNotBackwards(last);
    else this.#backwardsSince = undefined;
    if (this.#session !== session) {
      session.end(consumer);
      return;
    }
    session.start(consumer);
  }

  /** undefined: the stream is gone (which the next question tells for sure). */
  async #makeConsumer(): Promise<string | undefined> {
    try {
      const { name } = await this.#manager.consumers.add(this.#stream.name, {
        name: `weft_${crypto.randomUUID()}`,
        ack_policy: AckPolicy.None,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: this.#next,
        inactive_threshold: nanos(consumerIdleMs),
        mem_storage: true,
        num_replicas: 1,
      });
      return name;
    } catch (error) {
      if (error instanceof JetStreamApiError) {
        this.#logger.debug({ err: error, stream: this.#stream.name }, 'log: no consumer');
        return undefined;
      }
      throw error;
    }
  }

  #assertNotBackwards(last: number): void {
    this.#backwardsSince ??= performance.now();
    const message = `slice ${this.#stream.slice}: the log ${this.#stream.identity} went backwards, from ${this.#next - 1} or more to ${last}: records that were read are lost`;
    if (performance.now() - this.#backwardsSince > backwardsMsMax) throw new WalReplaced(message);
    throw new Error(message);
  }

  /** False: not the next one. `isFirst`: the consumer, made at `next`, delivers it first. Then what is missing is not in the log: deleted. */
  #take(record: LogRecord, isFirst: boolean): boolean {
    if (record.position !== this.#next) {
      if (isFirst && record.position > this.#next) this.#fail(trimmed(this.#stream.slice, this.#next, record.position));
      return false;
    }
    this.#next += 1;
    this.#retryMs = retryMsMin;
    this.#held.push(record);
    // In the next turn: what came in the same packet goes along.
    if (this.#waiting && this.#held.length === 1) setImmediate(() => this.#give());
    return true;
  }

  #give(): void {
    const waiting = this.#waiting;
    if (!waiting || this.#held.length === 0) return;
    this.#waiting = undefined;
    const records = this.#held;
    this.#held = [];
    waiting.resolve(records);
    this.#session?.pullIfDry();
  }

  #end(why: string): void {
    this.#session?.end();
    this.#session = undefined;
    if (this.#failure || this.#retry) return;
    this.#logger.debug({ stream: this.#stream.name, next: this.#next, why }, 'log: reading begins anew');
    this.#beginSoon();
  }

  #beginSoon(): void {
    clearTimeout(this.#retry);
    const waitMs = this.#retryMs * (0.5 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#begin();
    }, waitMs);
  }

  /** What is held is still given; then `next` rejects. */
  #fail(error: Error): void {
    if (this.#failure instanceof WalClosed) return;
    this.#failure = error;
    this.#session?.end();
    this.#session = undefined;
    clearTimeout(this.#retry);
    const waiting = this.#waiting;
    if (waiting && this.#held.length > 0) return;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}

const trimmed = (slice: number, next: number, first: number): WalTrimmed =>
  new WalTrimmed(`slice ${slice}: position ${next} is gone, the log begins at ${first}`, first);

interface SessionListener {
  /** False: this record cannot be; the session is to end. */
  record(record: LogRecord, isFirst: boolean): boolean;
  ended(why: string): void;
  /** Has everything been taken that was delivered? */
  dry(): boolean;
}

/** One consumer and its pulls (https://docs.nats.io/nats-concepts/jetstream/consumers: pull, no acknowledgements). */
class Session {
  readonly #connection: NatsConnection;
  readonly #stream: string;
  readonly #listener: SessionListener;
  #consumer: string | undefined;
  #subscription: Subscription | undefined;
  #inbox = '';
  #recordsToCome = 0;
  #silence: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(connection: NatsConnection, stream: string, listener: SessionListener) {
    this.#connection = connection;
    this.#stream = stream;
    this.#listener = listener;
  }

  start(consumer: string | undefined): void {
    if (consumer === undefined) {
      this.#listener.ended('no consumer could be made');
      return;
    }
    this.#consumer = consumer;
    this.#inbox = createInbox();
    this.#subscription = this.#connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (this.#ended) return;
        if (error) this.#listener.ended(error.message);
        else this.#message(message);
      },
    });
    this.#pull();
  }

  /** Asks for more when the last pull is over and everything of it was taken. */
  pullIfDry(): void {
    if (!this.#ended && this.#subscription && this.#recordsToCome === 0 && this.#listener.dry()) this.#pull();
  }

  end(consumer = this.#consumer): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#silence);
    if (this.#connection.isClosed()) return;
    this.#subscription?.unsubscribe();
    // A courtesy without waiting for the answer: the server forgets it by itself.
    if (consumer !== undefined) this.#connection.publish(`$JS.API.CONSUMER.DELETE.${this.#stream}.${consumer}`);
  }

  #pull(): void {
    this.#recordsToCome = pullRecords;
    const maxBytes = Math.max(pullBytes, (this.#connection.info?.max_payload ?? 0) + 16 * 1024);
    this.#connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${this.#consumer}`,
      JSON.stringify({ batch: pullRecords, max_bytes: maxBytes, expires: nanos(pullExpiresMs), idle_heartbeat: nanos(heartbeatMs) }),
      { reply: this.#inbox },
    );
    this.#heard();
  }

  #message(message: Msg): void {
    this.#heard();
    // A status has no reply subject but for flow control, which pulls do not use; a record's bears its numbers.
    if (message.headers && message.headers.code > 0) this.#status(message.headers.code, message.headers.description);
    else this.#record(message);
  }

  #record({ reply = '', data }: Msg): void {
    // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time, ns>.<pending>; newer: two tokens more before, one after.
    const tokens = reply.split('.');
    const shift = tokens.length >= 11 ? 2 : 0;
    const position = Number(tokens[5 + shift]);
    const isFirst = tokens[6 + shift] === '1';
    const atMs = Math.floor(Number(tokens[7 + shift]) / 1e6);
    this.#recordsToCome -= 1;
    if (!this.#listener.record({ position, atMs, bytes: data }, isFirst)) this.#listener.ended(`position ${position} came out of turn`);
    else this.pullIfDry();
  }

  #status(code: number, description: string): void {
    if (code === statusHeartbeat) return;
    const pullIsOver = code === statusTimeout || code === statusNotFound || (code === statusConflict && bytesUsedUp.test(description));
    if (!pullIsOver) {
      this.#listener.ended(`${code} ${description}`);
      return;
    }
    this.#recordsToCome = 0;
    if (this.#listener.dry()) this.#pull();
    else clearTimeout(this.#silence);
  }

  #heard(): void {
    if (this.#silence) this.#silence.refresh();
    else this.#silence = setTimeout(() => this.#listener.ended('silence'), silenceMsMax);
  }
}
