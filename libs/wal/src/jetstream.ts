import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats, type NatsOptions } from '@weft/bus';
import type { Logger } from '@weft/telemetry';
import { floorNotice, readFloorNotice } from './floor-notice.ts';
import { isNoResponders, positionOf, unavailable } from './jetstream-answers.ts';
import { JetStreamAppends } from './jetstream-appends.ts';
import { JetStreamReader } from './jetstream-reader.ts';
import { earlierSubjects, ensureStream, findStream, type FoundStream, renewStream, type SliceStream } from './jetstream-stream.ts';
import { weaknessesOfStreams, weaknessOfSync } from './jetstream-weaknesses.ts';
import {
  type Appended,
  type AnnouncedFloor,
  type Floor,
  type ReadOptions,
  type SliceState,
  type Wal,
  WalClosed,
  type WalReader,
  WalRecordTooLarge,
  WalReplaced,
  WalUnavailable,
  WalUnusable,
} from './wal.ts';
import { wentBackwards } from './went-backwards.ts';

const timeoutMsDefault = 5_000;
/** NATS sets this much of its storage aside, a replica. */
const bytesMaxDefault = 1024 * 1024 * 1024;
/** NATS advises against messages above 8 MiB, whatever `max_payload` allows. */
const recordBytesMaxMax = 8 * 1024 * 1024;
/** Before the server was asked. */
const recordBytesMaxUnknown = 1024 * 1024;
/** What the house needs of the server: tested from here on (architecture.md, section 7). */
const versionMin = [2, 12] as const;

export interface JetStreamWalOptions extends NatsOptions {
  readonly logger: Logger;
  /** WEFT_LOG_SLICES: slices 0 .. slices - 1 exist, a stream each. */
  readonly slices?: number;
  /** The streams are called <streamName>_<slice>. */
  readonly streamName?: string;
  readonly replicas?: number;
  /** Bytes a slice holds before it is full (WalFull). */
  readonly bytesMax?: number;
  /** An append or a question without an answer for so long is WalUnavailable. */
  readonly timeoutMs?: number;
  /** WEFT_NATS_ALLOW_OLD: take a server older than 2.12 (tests where nothing newer can be had). */
  readonly allowOld?: boolean;
  /** The operator declares `sync_interval: always`. */
  readonly declaredSyncAlways?: boolean;
  /** `http://host:8222`: where the servers can be asked whether they do. */
  readonly monitoringUrl?: string;
}

interface Nats {
  readonly connection: NatsConnection;
  readonly appends: JetStreamAppends;
  readonly manager: JetStreamManager;
}

/**
 * The log in JetStream, on a connection of its own (a large record must not hold up the bus's small messages). An append is one message and
 * one answer: no message ids, no expected sequences, no retry inside the library.
 */
export class JetStreamWal implements Wal {
  readonly #options: JetStreamWalOptions;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  #nats: Nats | undefined;
  #opening: Promise<void> | undefined;
  #connected = false;
  #closed = false;
  readonly #streams = new Map<number, SliceStream>();
  readonly #finding = new Map<number, Promise<FoundStream>>();
  /** As last seen, by slice: another one later is a loss. */
  readonly #identities = new Map<number, string>();
  /** The furthest append of ours that was answered, by slice: a later one that is not further means that the log went backwards (SPEC.md, I2). */
  readonly #answered = new Map<number, Floor>();
  readonly #readers = new Set<JetStreamReader>();
  readonly #floorListeners = new Map<number, Set<(floor: AnnouncedFloor) => void>>();
  #recordBytesMax = recordBytesMaxUnknown;

  constructor(options: JetStreamWalOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#timeoutMs = options.timeoutMs ?? timeoutMsDefault;
  }

  /** Asked of the server; may change when it reconnects to one with other settings. */
  get recordBytesMax(): number {
    return this.#recordBytesMax;
  }

  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async append(slice: number, record: Uint8Array): Promise<Appended> {
    this.#assertSlice(slice);
    if (record.byteLength > this.#recordBytesMax) {
      throw new WalRecordTooLarge(`a record of ${record.byteLength} bytes; NATS takes at most ${this.#recordBytesMax}`);
    }
    const { appends } = this.#opened();
    const stream = this.#streams.get(slice) ?? (await this.#find(slice, 'append'));
    const { identity } = stream;
    const before = this.#answered.get(slice);
    const position = await this.#send(appends, stream, record);
    if (before?.identity === identity && position <= before.position)
      return { identity: await this.#renew(stream, before, position), position };
    this.#noteAnswered(slice, { identity, position });
    return { identity, position };
  }

  async state(slice: number): Promise<SliceState> {
    this.#assertSlice(slice);
    const { identity, info } = await this.#find(slice, 'state');
    const { messages, first_seq: first, last_seq: last } = info.state;
    return { identity, first: messages === 0 ? last + 1 : first, last };
  }

  read(slice: number, from: number, identity: string, { everyMs = 0 }: ReadOptions = {}): WalReader {
    this.#assertSlice(slice);
    const { connection, manager } = this.#opened();
    const stream = { slice, name: this.#nameOf(slice), identity, subject: '' };
    const reader: JetStreamReader = new JetStreamReader({ connection, manager, logger: this.#logger }, stream, { from, everyMs }, () =>
      this.#readers.delete(reader),
    );
    this.#readers.add(reader);
    return reader;
  }

  /**
   * Purges by the identity's own subject: a purge that arrives late finds nothing of a log made anew. It also is the only safe purge: one without a
   * subject, above the last position, would move the numbering on. Records of earlier identities, from before the log was renewed, go with their own subjects.
   */
  async trim(slice: number, { identity, position }: Floor): Promise<void> {
    this.#assertSlice(slice);
    const stream = await this.#find(slice, 'trim');
    if (stream.identity !== identity)
      throw new WalReplaced(`trim: slice ${slice} no longer is the log ${identity}, it is ${stream.identity}`);
    if (position < 1) return;
    try {
      const { manager } = this.#opened();
      for (const filter of [...(await earlierSubjects(manager, stream)), stream.subject])
        await manager.streams.purge(stream.name, { filter, seq: position + 1 });
    } catch (error) {
      throw unavailable('trim', error);
    }
  }

  announceFloor(slice: number, floor: AnnouncedFloor): void {
    if (this.#closed || !this.#nats || !this.#connected) return;
    this.#nats.connection.publish(floorSubject(slice), floorNotice(floor));
  }

  onFloor(slice: number, listener: (floor: AnnouncedFloor) => void): () => void {
    this.#assertSlice(slice);
    let listeners = this.#floorListeners.get(slice);
    if (!listeners) {
      listeners = new Set();
      this.#floorListeners.set(slice, listeners);
      this.#hearFloors(slice, listeners);
    }
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  async weaknesses(): Promise<string[]> {
    const streams = await Promise.all(Array.from({ length: this.#slices }, (_, slice) => this.#find(slice, 'weaknesses')));
    const sync = await weaknessOfSync({
      monitoringUrl: this.#options.monitoringUrl,
      declaredAlways: this.#options.declaredSyncAlways ?? false,
    });
    return [...(sync === undefined ? [] : [sync]), ...weaknessesOfStreams(streams.map(({ info }) => info))];
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#connected = false;
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    this.#forgetAppends(new WalClosed('the log is closed'));
    await this.#nats?.connection.close();
  }

  async #open(): Promise<void> {
    if (this.#closed) throw new WalClosed('the log is closed');
    if (!this.#nats) await this.#connect();
    for (let slice = 0; slice < this.#slices; slice += 1) await this.#find(slice, 'open');
  }

  async #connect(): Promise<void> {
    try {
      const connection = await connectNats({ ...this.#options, name: `${this.#options.name} log` });
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: this.#timeoutMs });
      const refusal = refusalOf(connection, this.#options.allowOld ?? false);
      if (refusal) {
        await connection.close();
        throw refusal;
      }
      this.#nats = { connection, manager, appends: new JetStreamAppends(connection, this.#timeoutMs) };
    } catch (error) {
      throw unavailable('open', error);
    }
    this.#onConnected(true);
    void this.#watch(this.#nats.connection);
  }

  async #send(appends: JetStreamAppends, stream: SliceStream, record: Uint8Array): Promise<number> {
    if (!this.#connected) throw new WalUnavailable('append: not connected to NATS');
    let answer: Uint8Array;
    try {
      answer = await appends.append(stream.subject, record);
    } catch (error) {
      throw this.#unanswered(stream, error);
    }
    return positionOf(answer, stream.subject);
  }

  /** Of appends on their way together the later may be answered first. */
  #noteAnswered(slice: number, appended: Floor): void {
    const furthest = this.#answered.get(slice);
    if (furthest?.identity !== appended.identity || appended.position > furthest.position) this.#answered.set(slice, appended);
  }

  /** The record is in the log, at a position that was another's before. Gives the identity under which that is no contradiction. */
  async #renew(stream: SliceStream, before: Floor, position: number): Promise<string> {
    const { slice, identity } = stream;
    this.#logger.error({ stream: stream.name, identity, before: before.position, now: position }, `append: ${wentBackwards}`);
    try {
      await renewStream(this.#opened().manager, stream);
    } catch (error) {
      throw unavailable('append', error);
    }
    return (await this.#find(slice, 'append')).identity;
  }

  #unanswered(stream: SliceStream, error: unknown): Error {
    if (error instanceof WalUnavailable || error instanceof WalClosed) return error;
    // No stream has this subject, or it has no leader now. Look before the next append: the log may have been lost.
    if (isNoResponders(error)) this.#streams.delete(stream.slice);
    return new WalUnavailable(`append: NATS did not answer (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  }

  /** Looks the slice's stream up, making it if it is not there. Several who ask at once share the answer. */
  #find(slice: number, what: string): Promise<FoundStream> {
    const asked = this.#finding.get(slice) ?? this.#ask(slice).finally(() => this.#finding.delete(slice));
    this.#finding.set(slice, asked);
    return asked.catch((error: unknown) => {
      throw unavailable(what, error);
    });
  }

  async #ask(slice: number): Promise<FoundStream> {
    const { manager } = this.#opened();
    if (!this.#connected) throw new WalUnavailable('not connected to NATS');
    const name = this.#nameOf(slice);
    const { replicas = 1, bytesMax = bytesMaxDefault, streamName = 'WEFT_LOG' } = this.#options;
    const known = this.#identities.has(slice) ? await findStream(manager, name, slice) : undefined;
    const found = known ?? (await ensureStream(manager, { name: streamName, replicas, bytesMax }, slice));
    const before = this.#identities.get(slice);
    if (before !== undefined && before !== found.identity) {
      this.#logger.error(
        { stream: name, before, now: found.identity },
        'the log was LOST, or went backwards: it is another one now. What was not yet in the document store is resent by gateways and clients',
      );
    } else if (found.made) this.#logger.info({ stream: name, identity: found.identity }, 'the log was made');
    this.#identities.set(slice, found.identity);
    this.#streams.set(slice, found);
    return found;
  }

  #hearFloors(slice: number, listeners: ReadonlySet<(floor: AnnouncedFloor) => void>): void {
    this.#opened().connection.subscribe(floorSubject(slice), {
      callback: (error, message) => {
        if (error) {
          this.#logger.error({ err: error, slice }, 'log: NATS refuses the subscription to floors');
          return;
        }
        const floor = readFloorNotice(message.string());
        if (floor) for (const listener of listeners) this.#tell(listener, floor);
      },
    });
  }

  /** An error must not leave the library's callback: it would end its reading. */
  #tell(listener: (floor: AnnouncedFloor) => void, floor: AnnouncedFloor): void {
    try {
      listener(floor);
    } catch (error) {
      this.#logger.error({ err: error }, 'log: a listener to floors threw');
    }
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'reconnect') this.#onConnected(type === 'reconnect');
    }
  }

  #onConnected(connected: boolean): void {
    if (this.#closed) return;
    this.#connected = connected;
    if (connected) this.#recordBytesMax = Math.min(this.#nats?.connection.info?.max_payload ?? recordBytesMaxUnknown, recordBytesMaxMax);
    else this.#forgetAppends(new WalUnavailable('append: the connection to NATS broke before the answer'));
    for (const reader of this.#readers) reader.restart(connected);
  }

  #forgetAppends(error: Error): void {
    this.#nats?.appends.failAll(error);
  }

  get #slices(): number {
    return this.#options.slices ?? 1;
  }

  #nameOf(slice: number): string {
    return `${this.#options.streamName ?? 'WEFT_LOG'}_${slice}`;
  }

  #opened(): Nats {
    if (!this.#nats) throw new WalUnavailable('the log is not open yet');
    return this.#nats;
  }

  #assertSlice(slice: number): void {
    if (this.#closed) throw new WalClosed('the log is closed');
    if (!Number.isInteger(slice) || slice < 0 || slice >= this.#slices)
      throw new RangeError(`slice ${slice}: there are ${this.#slices}, counted from 0`);
  }
}

const floorSubject = (slice: number): string => `weft.floor.${slice}`;

function refusalOf({ info }: NatsConnection, allowOld: boolean): WalUnusable | undefined {
  if (!info || allowOld || isNewEnough(info.version)) return undefined;
  return new WalUnusable(
    `NATS is ${info.version}; the log needs ${versionMin.join('.')} or newer (older ones acknowledge before fsync). For tests: WEFT_NATS_ALLOW_OLD=1`,
  );
}

/** @param version as the server's INFO tells it, e.g. `2.12.0-RC.1` */
export function isNewEnough(version: string): boolean {
  const [major = Number.NaN, minor = Number.NaN] = version.split('.').map(Number);
  return major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1]);
}
