import { createInbox, type Msg, nanos, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { LogRecord } from './wal.ts';

/** One pull asks for so much; the next leaves when the reader has taken the last. So at most two of them are held. */
const pullBytes = 8 * 1024 * 1024;
const pullRecords = 1_000;
const pullExpiresMs = 30_000;
/** A pull of a reader in no hurry is over when it has what is there. */
const quickPullExpiresMs = 10;
const heartbeatMs = 1_000;
/** Nothing heard for so long: the consumer is gone (with the server that had it). */
const silenceMsMax = 2_500;

/** https://docs.nats.io/reference/reference-protocols/nats_api_reference and server/consumer.go: how a pull ends, in its status messages. */
const statusHeartbeat = 100;
const statusTimeout = 408;
const statusConflict = 409;
const statusNotFound = 404;
/** The pull's bytes are used up. Of all 409s the only one after which the consumer is as it was. */
const bytesUsedUp = /exceeds maxbytes/i;
/** Every record of the pull came, and bytes were left over (from 2.11 on). Said after the last record, when the next pull may have left: our own count has ended it by then. */
const allCame = /batch completed/i;

export interface Delivered {
  readonly record: LogRecord;
  /** When the log took it, ns since the epoch. */
  readonly takenAt: string;
  readonly subject: string;
}

export interface SessionListener {
  /** False: this record cannot be; the session is to end. */
  record(delivered: Delivered): boolean;
  /** A pull ended with nothing. */
  idle(): void;
  ended(why: string): void;
  /** Has everything been taken that was delivered? */
  dry(): boolean;
}

/** One consumer and its pulls (https://docs.nats.io/nats-concepts/jetstream/consumers: pull, no acknowledgements). */
export class Session {
  readonly #connection: NatsConnection;
  readonly #stream: string;
  /** 0: what comes is wanted at once. */
  readonly #everyMs: number;
  #pause: NodeJS.Timeout | undefined;
  #deliveredAtMs = performance.now();
  readonly #listener: SessionListener;
  #consumer: string | undefined;
  #subscription: Subscription | undefined;
  #inbox = '';
  #recordsToCome = 0;
  #silence: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(
    connection: NatsConnection,
    { stream, everyMs }: { readonly stream: string; readonly everyMs: number },
    listener: SessionListener,
  ) {
    this.#connection = connection;
    this.#stream = stream;
    this.#everyMs = everyMs;
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
    // Of an earlier session there may be enough that nobody has taken yet.
    this.pullIfDry();
  }

  /** Asks for more when the last pull is over and everything of it was taken. */
  pullIfDry(): void {
    if (!this.#ended && this.#subscription && this.#recordsToCome === 0 && !this.#pause && this.#listener.dry()) this.#pull();
  }

  end(consumer = this.#consumer): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#pause);
    this.#expectNothing();
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
      JSON.stringify({
        batch: pullRecords,
        max_bytes: maxBytes,
        ...(this.#everyMs > 0
          ? { expires: nanos(quickPullExpiresMs) }
          : { expires: nanos(pullExpiresMs), idle_heartbeat: nanos(heartbeatMs) }),
      }),
      { reply: this.#inbox },
    );
    this.#expectMore();
  }

  #message(message: Msg): void {
    // A status has no reply subject but for flow control, which pulls do not use; a record's bears its numbers.
    if (message.headers && message.headers.code > 0) this.#status(message.headers.code, message.headers.description);
    else this.#record(message);
    // While nothing was asked for, because the reader is slow, nothing comes: that is no silence.
    if (this.#recordsToCome > 0) this.#expectMore();
    else this.#expectNothing();
  }

  #record({ reply = '', data, subject }: Msg): void {
    // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time, ns>.<pending>; newer: two tokens more before, one after.
    const tokens = reply.split('.');
    const shift = tokens.length >= 11 ? 2 : 0;
    const position = Number(tokens[5 + shift]);
    const takenAt = tokens[7 + shift] ?? '';
    const atMs = Math.floor(Number(takenAt) / 1e6);
    this.#recordsToCome -= 1;
    this.#deliveredAtMs = performance.now();
    if (!this.#listener.record({ record: { position, atMs, bytes: data }, takenAt, subject }))
      this.#listener.ended(`position ${position} came out of turn`);
    else this.pullIfDry();
  }

  #status(code: number, description: string): void {
    if (code === statusHeartbeat || (code === statusConflict && allCame.test(description))) return;
    const pullIsOver = code === statusTimeout || code === statusNotFound || (code === statusConflict && bytesUsedUp.test(description));
    if (!pullIsOver) {
      this.#listener.ended(`${code} ${description}`);
      return;
    }
    this.#recordsToCome = 0;
    if (code === statusTimeout) this.#nothingMore();
    this.pullIfDry();
  }

  /** All that there was has come. */
  #nothingMore(): void {
    if (performance.now() - this.#deliveredAtMs >= pullExpiresMs) {
      this.#deliveredAtMs = performance.now();
      this.#listener.idle();
    }
    if (this.#everyMs === 0 || this.#ended) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.pullIfDry();
    }, this.#everyMs);
  }

  #expectMore(): void {
    if (this.#ended) return;
    if (this.#silence) this.#silence.refresh();
    else this.#silence = setTimeout(() => this.#listener.ended('silence'), silenceMsMax);
  }

  #expectNothing(): void {
    clearTimeout(this.#silence);
    // A timer that was cleared never fires again, also when it is refreshed.
    this.#silence = undefined;
  }
}
