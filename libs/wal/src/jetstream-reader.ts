import { AckPolicy, DeliverPolicy, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from '@weft/telemetry';
import { type Delivered, Session } from './jetstream-session.ts';
import { findStream, renewStream, type SliceStream } from './jetstream-stream.ts';
import { type LogRecord, WalClosed, type WalReader, WalReplaced, WalTrimmed, WalUnusable } from './wal.ts';
import { wentBackwards } from './went-backwards.ts';

/** The server forgets a consumer nobody pulls from. */
const consumerIdleMs = 30_000;
const retryMsMin = 50;
const retryMsMax = 2_000;
/** A new leader may not have applied everything yet: how long a `last` below what was read is taken for that. */
const backwardsMsMax = 5_000;

/**
 * Reads a slice from a position on, without gaps.
 *
 * 1. Make an ephemeral consumer at the next position; THEN ask the stream who it is. A consumer goes with its stream and identities never come back,
 *    so whatever this consumer delivers is of the identity just seen. (The library's own ordered consumer makes itself anew without that
 *    question, and would go on in another log.)
 * 2. Pull. Every record has to be the next position, else the session ends.
 * 3. A later session begins at the last record that was read: it has to be the one it was, else the log went backwards and grew again. A log that went
 *    backwards is given another identity (SPEC.md, I2), and reading ends.
 * 4. Whatever else goes wrong (silence, a lost connection, a consumer gone) ends the session; a new one begins at 1.
 */
export class JetStreamReader implements WalReader {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #logger: Logger;
  readonly #stream: SliceStream;
  readonly #onClose: () => void;
  readonly #everyMs: number;
  #next: number;
  /** When the log took the last record that was read, as it says itself, to the nanosecond. */
  #lastTakenAt: string | undefined;
  /** Where the log ended when this session began: what comes after bears the subject of our identity. */
  #endAtBegin = 0;
  /** This session has delivered nothing new yet. */
  #isBeginning = true;
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
    { from, everyMs }: { readonly from: number; readonly everyMs: number },
    onClose: () => void,
  ) {
    this.#connection = nats.connection;
    this.#manager = nats.manager;
    this.#logger = nats.logger;
    this.#stream = stream;
    this.#next = from;
    this.#everyMs = everyMs;
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
    const session = new Session(
      this.#connection,
      { stream: this.#stream.name, everyMs: this.#everyMs },
      {
        record: (delivered) => this.#take(session, delivered),
        idle: () => this.#checkIdentity(session),
        ended: (why) => this.#end(why),
        dry: () => this.#held.length === 0,
      },
    );
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
    if (this.#next > last + 1) await this.#assertNotBackwards(now, last);
    else this.#backwardsSince = undefined;
    this.#endAtBegin = last;
    this.#isBeginning = true;
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
        opt_start_seq: this.#lastTakenAt === undefined ? this.#next : this.#next - 1,
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

  async #assertNotBackwards(stream: SliceStream, last: number): Promise<void> {
    this.#backwardsSince ??= performance.now();
    if (performance.now() - this.#backwardsSince > backwardsMsMax) throw await this.#renewed(stream, last);
    throw new Error(this.#backwards(last));
  }

  async #renewed(stream: SliceStream, last: number): Promise<WalReplaced> {
    this.#logger.error({ stream: stream.name, identity: stream.identity, read: this.#next - 1, last }, `read: ${wentBackwards}`);
    await renewStream(this.#manager, stream);
    return new WalReplaced(this.#backwards(last));
  }

  #backwards(last: number): string {
    return `slice ${this.#stream.slice}: the log ${this.#stream.identity} went backwards, from ${this.#next - 1} or more to ${last}: records that were read are lost`;
  }

  /** False: not the next one. A session begins at `next`, or at what was read last; what is missing there is not in the log: it was deleted. */
  #take(session: Session, { record, takenAt, subject }: Delivered): boolean {
    if (this.#isBeginning && record.position === this.#next - 1 && this.#lastTakenAt !== undefined) {
      if (takenAt !== this.#lastTakenAt) this.#grewAgain(session);
      return true;
    }
    if (record.position !== this.#next) {
      if (this.#isBeginning && record.position > this.#next) this.#fail(trimmed(this.#stream.slice, this.#next, record.position));
      return false;
    }
    this.#isBeginning = false;
    // Renewed meanwhile: the next session is told so.
    if (record.position > this.#endAtBegin && !subject.endsWith(`.${this.#stream.identity}`)) return false;
    this.#next += 1;
    this.#lastTakenAt = takenAt;
    this.#retryMs = retryMsMin;
    this.#held.push(record);
    // In the next turn: what came in the same packet goes along.
    if (this.#waiting && this.#held.length === 1) setImmediate(() => this.#give());
    return true;
  }

  /** The log went backwards, and other records took the places of some that were read. */
  #grewAgain(session: Session): void {
    session.end();
    this.#renewed(this.#stream, this.#next - 1).then(
      (replaced) => this.#fail(replaced),
      (error: unknown) => {
        if (this.#session === session) this.#end(`renewing failed: ${String(error)}`);
      },
    );
  }

  /** Nothing came for a while: no record would tell that the log is another one now. */
  #checkIdentity(session: Session): void {
    findStream(this.#manager, this.#stream.name, this.#stream.slice).then(
      (now) => {
        if (now?.identity !== this.#stream.identity && this.#session === session) this.#end('another log');
      },
      (error: unknown) => this.#logger.debug({ err: error, stream: this.#stream.name }, 'log: it did not say who it is'),
    );
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
