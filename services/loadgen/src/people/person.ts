import { randomInt } from 'node:crypto';
import type { Dialect } from '../result.ts';
import { ByteWriter } from '../wire/bytes.ts';
import { type ClientFrames, clientFrames, type Heard } from '../wire/dialect.ts';
import { nowUs, STAMP_LENGTH, stampText } from '../wire/stamp.ts';
import { writeTypedUpdate } from '../wire/typed-update.ts';
import type { Counts } from '../measure/meter.ts';
import type { Transport, Transports } from './transport.ts';
import type { Room } from './room.ts';
import { TicksSeen } from './ticks-seen.ts';

export interface PersonOptions {
  readonly room: Room;
  readonly dialect: Dialect;
  /** Number of the target; `transports` knows where it is. */
  readonly target: number;
  readonly token: string;
  readonly transports: Transports;
  readonly meter: Counts;
  /** False: what reaches them is counted, but not timed: among many readers the others tell. Default true. */
  readonly isTimed?: boolean;
  /** Of frames longer than this only the beginning is looked at: what they bring is not counted. Bytes. */
  readonly wholeBytesMax?: number;
}

const writer = new ByteWriter();

/** Somebody at a document, in so few lines that thousands of them fit into one process: they speak the protocol, and keep of what they hear only how far they have it. */
export class Person {
  readonly room: Room;
  readonly target: number;
  readonly client = randomInt(1, 2 ** 32);
  readonly #frames: ClientFrames;
  readonly #meter: Counts;
  readonly #transport: Transport;
  readonly #wholeBytesMax: number;
  readonly #isTimed: boolean;
  readonly #seen = new TicksSeen();
  readonly #seenPresence: number[] = [];
  readonly #ready: (() => void)[] = [];
  #writer: number | undefined;
  #clock = 0;
  #presenceClock = 0;
  /** When what waits for its acknowledgement was to be sent, oldest first from `#ackedTo` on; NaN: no edit. */
  #unacknowledged: number[] = [];
  #ackedTo = 0;
  #syncedAtUs = Number.POSITIVE_INFINITY;
  #left = false;
  isClosed = false;
  /** Microseconds since the epoch. */
  readonly startedAtUs = nowUs();

  constructor(options: PersonOptions) {
    const { room, dialect, target, token, transports, meter, wholeBytesMax = 1024 * 1024 } = options;
    this.room = room;
    this.target = target;
    this.#meter = meter;
    this.#wholeBytesMax = wholeBytesMax;
    this.#isTimed = options.isTimed ?? true;
    this.#frames = clientFrames(dialect, room.document, token);
    this.#transport = transports.open(target, room.document, wholeBytesMax, {
      opened: () => {
        for (const frame of this.#frames.hello()) this.#transport.send(frame);
      },
      frame: (bytes, length) => this.#hear(bytes, length),
      closed: (code, reason) => this.#closed(code, reason),
    });
  }

  get isSynced(): boolean {
    return this.#syncedAtUs !== Number.POSITIVE_INFINITY;
  }

  /** Microseconds from the connecting until all was there. */
  get joinUs(): number {
    return this.#syncedAtUs - this.startedAtUs;
  }

  get unacknowledged(): number {
    return this.#unacknowledged.length - this.#ackedTo;
  }

  get unsentBytes(): number {
    return this.#transport.unsentBytes;
  }

  get bytesIn(): number {
    return this.#transport.bytesIn;
  }

  get bytesOut(): number {
    return this.#transport.bytesOut;
  }

  /** Edits of others that have not come here. */
  get missing(): number {
    let ticks = 0;
    for (const [other, sent] of this.room.sent.entries()) if (other !== this.#writer) ticks += sent - this.#seen.next(other);
    return Math.ceil(ticks / this.room.editTicks);
  }

  /** Of how many others the newest presence has not come here. */
  get missingPresence(): number {
    let missing = 0;
    for (const [other, clock] of this.room.announced.entries())
      if (other !== this.#writer && (this.#seenPresence[other] ?? 0) < clock) missing += 1;
    return missing;
  }

  /** How many edits of this writer have come here. */
  editsSeen(other: number): number {
    return this.#seen.next(other) / this.room.editTicks;
  }

  /** Rejects when the connection ended before. */
  async synced(): Promise<this> {
    if (!this.isSynced && !this.isClosed) await new Promise<void>((resolve) => this.#ready.push(resolve));
    if (!this.isSynced) throw new Error(`${this.room.document}: the connection ended before it was synced`);
    return this;
  }

  /** Takes part as one who writes. */
  get writer(): number {
    return (this.#writer ??= this.room.addWriter(this.client, this.target));
  }

  /** One insertion, which was due at `dueUs`. */
  type(dueUs: number): void {
    const { writer: self } = this;
    writeTypedUpdate(writer.reset(), {
      client: this.client,
      clock: this.#clock,
      stampUs: dueUs,
      padding: this.room.editTicks - STAMP_LENGTH,
    });
    this.#clock += this.room.editTicks;
    this.room.sent[self] = this.#clock;
    if (this.#meter.acknowledges) this.#unacknowledged.push(dueUs);
    this.#meter.sent(dueUs);
    this.#transport.send(this.#frames.update(writer.written));
  }

  /** An edit made elsewhere, of no writer that is followed here. */
  sendUpdate(update: Uint8Array): void {
    if (this.#meter.acknowledges) this.#unacknowledged.push(Number.NaN);
    this.#transport.send(this.#frames.update(update));
  }

  /** A caret that moved at `dueUs`. */
  announce(dueUs: number): void {
    const { writer: self } = this;
    const at = this.#presenceClock * 7;
    const state = `{"user":{"name":"Person ${self}","color":"#30bced"},"cursor":{"anchor":${at},"head":${at}},"at":"${stampText(dueUs)}"}`;
    this.#presenceClock += 1;
    writer.reset().uint(1).uint(this.client).uint(this.#presenceClock).string(state);
    this.room.announced[self] = this.#presenceClock;
    this.#meter.sent(dueUs);
    this.#transport.send(this.#frames.awareness(writer.written));
  }

  leave(): void {
    this.#left = true;
    this.#transport.close();
  }

  #hear(bytes: Uint8Array, length: number): void {
    const heard = this.#frames.read(bytes);
    this.#meter.heard(length);
    switch (heard.kind) {
      case 'step1':
        if (this.#meter.acknowledges) this.#unacknowledged.push(Number.NaN);
        this.#transport.send(this.#frames.emptyStep2());
        return;
      case 'step2':
        this.#brought(bytes, heard, length);
        this.#isReady();
        return;
      case 'update':
        return this.#brought(bytes, heard, length);
      case 'awareness':
        return this.#presence(bytes.subarray(heard.at, heard.at + heard.length));
      case 'acknowledged':
        return this.#acknowledged();
      case 'not-acknowledged':
        this.#ackedTo += 1;
        return this.#meter.trouble('an edit was refused (SyncStatus 0)');
      case 'denied':
        return this.#meter.trouble('access to a document was denied');
      case 'other':
    }
  }

  #brought(bytes: Uint8Array, { at, length }: Heard, frameLength: number): void {
    if (frameLength > this.#wholeBytesMax) return;
    const { edits, ranges } = this.room.brought(bytes.subarray(at, at + length), this.target);
    if (!this.#isTimed) return this.#counted(ranges);
    const atUs = nowUs();
    for (let i = 0; i < edits.length; i += 4) {
      const other = edits[i]!;
      const fresh = this.#seen.add(other, edits[i + 1]!, edits[i + 2]!);
      if (fresh === 0 || other === this.#writer) continue;
      const stampUs = edits[i + 3]!;
      // What was typed before somebody came is no delivery.
      if (stampUs >= this.#syncedAtUs) this.#meter.delivered(stampUs, atUs, this.room.targets[other] === this.target);
    }
  }

  /** What arrived, without a look at when it left. */
  #counted(ranges: readonly number[]): void {
    let ticks = 0;
    for (let i = 0; i < ranges.length; i += 4)
      if (ranges[i] !== this.#writer) ticks += this.#seen.add(ranges[i]!, ranges[i + 1]!, ranges[i + 2]!);
    if (ticks > 0 && this.isSynced) this.#meter.arrived(Math.round(ticks / this.room.editTicks));
  }

  #presence(update: Uint8Array): void {
    const { edits: found } = this.room.present(update, this.target);
    const atUs = nowUs();
    for (let i = 0; i < found.length; i += 4) {
      const other = found[i]!;
      const clock = found[i + 1]!;
      if ((this.#seenPresence[other] ?? 0) >= clock) continue;
      this.#seenPresence[other] = clock;
      const stampUs = found[i + 3]!;
      if (other !== this.#writer && stampUs >= this.#syncedAtUs)
        this.#meter.delivered(stampUs, atUs, this.room.targets[other] === this.target);
    }
  }

  #acknowledged(): void {
    if (this.unacknowledged === 0) return;
    const dueUs = this.#unacknowledged[this.#ackedTo++]!;
    if (this.#ackedTo > 64 && this.#ackedTo * 2 > this.#unacknowledged.length) {
      this.#unacknowledged = this.#unacknowledged.slice(this.#ackedTo);
      this.#ackedTo = 0;
    }
    if (!Number.isNaN(dueUs)) this.#meter.acknowledged(dueUs, nowUs());
  }

  #isReady(): void {
    if (this.isSynced) return;
    this.#syncedAtUs = nowUs();
    for (const ready of this.#ready.splice(0)) ready();
  }

  #closed(code: number | undefined, reason: string): void {
    this.isClosed = true;
    if (!this.#left) this.#meter.lost(code, reason);
    for (const ready of this.#ready.splice(0)) ready();
  }
}
