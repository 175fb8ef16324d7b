import {
  type Appended,
  type AnnouncedFloor,
  type Floor,
  type LogRecord,
  type SliceState,
  type Wal,
  WalClosed,
  WalFull,
  type WalReader,
  WalRecordTooLarge,
  WalReplaced,
  WalTrimmed,
  WalUnavailable,
} from '@weft/wal';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { serverMs, type SimProcess } from './sim-process.ts';

/** What goes wrong with the log at the moment. Chances of an append. */
export interface LogWeather {
  /** Refused before anything was taken: no leader. */
  refused: number;
  /** Taken, and the answer never comes. */
  answerLost: number;
  /** Nothing is answered in time, and the record is taken later all the same. */
  takenLate: number;
  slowMs: number;
  full: boolean;
  /** Every request waits and fails; readers wait. */
  away: boolean;
}

const timeoutMs = 2_000;

/** The log's servers: records are durable when taken, in an order, and readers see them in it (the contract of libs/wal/src/wal.ts). */
export class SimLog {
  readonly weather: LogWeather = { refused: 0, answerLost: 0, takenLate: 0, slowMs: 0, full: false, away: false };
  readonly recordBytesMax: number;
  readonly slices: LogSlice[];
  /** Every record ever taken, trimmed and lost ones too, in the order taken. */
  readonly history: { readonly slice: number; readonly identity: string; readonly position: number; readonly bytes: Uint8Array }[] = [];
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #made = 0;

  constructor(parts: { scheduler: Scheduler; random: Random; slices: number; recordBytesMax: number }) {
    this.#scheduler = parts.scheduler;
    this.#random = parts.random;
    this.recordBytesMax = parts.recordBytesMax;
    this.slices = Array.from({ length: parts.slices }, (_, slice) => new LogSlice(this.#identity(slice)));
  }

  walOf(process: SimProcess): Wal {
    return new SimWal(this, process);
  }

  /** Everything in it is gone; it is made anew. */
  wipe(slice: number): void {
    const { waiting, floorListeners } = this.slices[slice]!;
    const made = new LogSlice(this.#identity(slice));
    for (const listener of floorListeners) made.floorListeners.add(listener);
    this.slices[slice] = made;
    for (const wake of waiting) wake();
  }

  /** The request has left the process, and reaches the servers whatever becomes of who sent it. */
  async append(process: SimProcess, slice: number, bytes: Uint8Array): Promise<Appended> {
    if (bytes.byteLength > this.recordBytesMax)
      throw new WalRecordTooLarge(`${bytes.byteLength} bytes; at most ${this.recordBytesMax} are taken`);
    const { refused, answerLost, takenLate } = this.weather;
    const record = bytes.slice();
    const wayMs = this.latencyMs();
    const noAnswer = (): Promise<never> => process.settle(timeoutMs, () => fail(new WalUnavailable('append: no answer in time')));
    if (this.#isAwayFrom(process)) return noAnswer();
    if (this.#random.chance(refused)) return process.settle(wayMs, () => fail(new WalUnavailable('append: no leader')));
    if (this.#random.chance(takenLate)) {
      this.#scheduler.after(this.#random.between(0, 2 * timeoutMs), () => void this.#take(slice, record));
      return noAnswer();
    }
    return new Promise((resolve, reject) => {
      this.#scheduler.after(wayMs, () => {
        const taken = this.#take(slice, record);
        if (this.#random.chance(answerLost)) noAnswer().catch(reject);
        else if (taken) void process.settle(this.latencyMs(), () => resolve(taken));
        else void process.settle(this.latencyMs(), () => reject(new WalFull(`slice ${slice} is full`)));
      });
    });
  }

  /** A question that reads or trims. */
  async ask<T>(process: SimProcess, answer: () => T): Promise<T> {
    if (this.#isAwayFrom(process)) return process.settle(timeoutMs, () => fail(new WalUnavailable('no answer in time')));
    await process.settle(this.latencyMs(), () => {});
    const settled = attempt(answer);
    return process.settle(this.latencyMs(), settled);
  }

  announce(from: SimProcess, slice: number, floor: AnnouncedFloor): void {
    if (this.#isAwayFrom(from)) return;
    for (const { process, listener } of this.slices[slice]!.floorListeners) {
      if (this.#random.chance(this.weather.answerLost)) continue;
      this.#scheduler.after(this.latencyMs(), () => {
        if (!this.#isAwayFrom(process)) process.run(() => listener(floor));
      });
    }
  }

  isReadable(process: SimProcess): boolean {
    return !this.#isAwayFrom(process);
  }

  /** Everybody who waits for records looks again. */
  wakeReaders(): void {
    for (const slice of this.slices) for (const wake of slice.waiting) wake();
  }

  latencyMs(): number {
    return this.#random.between(0.3, 3) + this.#random.between(0, this.weather.slowMs);
  }

  batchMax(): number {
    return 1 + this.#random.int(20);
  }

  #isAwayFrom(process: SimProcess): boolean {
    return this.weather.away || process.isCut;
  }

  #take(number: number, bytes: Uint8Array): Appended | undefined {
    const slice = this.slices[number]!;
    if (this.weather.full) return undefined;
    const position = slice.last + 1;
    slice.records.push({ position, atMs: serverMs(this.#scheduler), bytes });
    this.history.push({ slice: number, identity: slice.identity, position, bytes });
    for (const wake of slice.waiting) wake();
    return { identity: slice.identity, position };
  }

  #identity(slice: number): string {
    this.#made += 1;
    return `log-${slice}-${this.#made}`;
  }
}

class LogSlice {
  readonly identity: string;
  readonly records: LogRecord[] = [];
  readonly waiting = new Set<() => void>();
  readonly floorListeners = new Set<{ readonly process: SimProcess; readonly listener: (floor: AnnouncedFloor) => void }>();
  first = 1;

  constructor(identity: string) {
    this.identity = identity;
  }

  get last(): number {
    return this.first + this.records.length - 1;
  }

  state(): SliceState {
    return { identity: this.identity, first: this.first, last: this.last };
  }

  trim(upTo: number): void {
    const count = Math.min(upTo, this.last) - this.first + 1;
    if (count <= 0) return;
    this.records.splice(0, count);
    this.first += count;
  }
}

class SimWal implements Wal {
  readonly #log: SimLog;
  readonly #process: SimProcess;
  #closed = false;

  constructor(log: SimLog, process: SimProcess) {
    this.#log = log;
    this.#process = process;
  }

  get recordBytesMax(): number {
    return this.#log.recordBytesMax;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  append(slice: number, record: Uint8Array): Promise<Appended> {
    if (this.#closed) return Promise.reject(new WalClosed('the log is closed'));
    return this.#log.append(this.#process, slice, record);
  }

  state(slice: number): Promise<SliceState> {
    return this.#log.ask(this.#process, () => this.#log.slices[slice]!.state());
  }

  read(slice: number, from: number, identity: string): WalReader {
    return new SimReader(this.#log, this.#process, { slice, from, identity });
  }

  trim(slice: number, { identity, position }: Floor): Promise<void> {
    return this.#log.ask(this.#process, () => {
      const held = this.#log.slices[slice]!;
      if (held.identity !== identity) fail(new WalReplaced(`trim: slice ${slice} no longer is the log ${identity}`));
      held.trim(position);
    });
  }

  announceFloor(slice: number, floor: AnnouncedFloor): void {
    this.#log.announce(this.#process, slice, floor);
  }

  onFloor(slice: number, listener: (floor: AnnouncedFloor) => void): () => void {
    const entry = { process: this.#process, listener };
    this.#log.slices[slice]!.floorListeners.add(entry);
    return () => void this.#log.slices[slice]!.floorListeners.delete(entry);
  }

  weaknesses(): Promise<string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

class SimReader implements WalReader {
  readonly #log: SimLog;
  readonly #process: SimProcess;
  readonly #slice: number;
  readonly #identity: string;
  #next: number;
  #closed = false;
  #give: (() => void) | undefined;

  constructor(log: SimLog, process: SimProcess, start: { slice: number; from: number; identity: string }) {
    this.#log = log;
    this.#process = process;
    this.#slice = start.slice;
    this.#identity = start.identity;
    this.#next = start.from;
  }

  next(): Promise<readonly LogRecord[]> {
    return new Promise((resolve, reject) => {
      const give = (): void => {
        let records: readonly LogRecord[] | undefined;
        try {
          records = this.#look();
        } catch (error) {
          this.#log.slices[this.#slice]!.waiting.delete(wake);
          reject(error);
          return;
        }
        if (!records) {
          this.#log.slices[this.#slice]!.waiting.add(wake);
          return;
        }
        this.#log.slices[this.#slice]!.waiting.delete(wake);
        resolve(records);
      };
      const wake = (): void => {
        this.#log.slices[this.#slice]!.waiting.delete(wake);
        this.#process.later(this.#log.latencyMs(), give);
      };
      this.#give = give;
      wake();
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    // Settles a `next` that waits, as the adapters do.
    const give = this.#give;
    if (give) this.#process.later(0, give);
    return Promise.resolve();
  }

  #look(): readonly LogRecord[] | undefined {
    if (this.#closed) fail(new WalClosed('the reader is closed'));
    if (!this.#log.isReadable(this.#process)) return undefined;
    const slice = this.#log.slices[this.#slice]!;
    if (slice.identity !== this.#identity) fail(new WalReplaced(`slice ${this.#slice} is ${slice.identity}, not ${this.#identity}`));
    if (slice.last < this.#next - 1) fail(new WalReplaced(`slice ${this.#slice} ends at ${slice.last}, before ${this.#next}`));
    if (this.#next < slice.first) fail(new WalTrimmed(`position ${this.#next} was trimmed`, slice.first));
    const at = this.#next - slice.first;
    const records = slice.records.slice(at, at + this.#log.batchMax());
    if (records.length === 0) return undefined;
    this.#next += records.length;
    return records;
  }
}

export function fail(error: Error): never {
  throw error;
}

/** Done now; what comes of it is given or thrown later. */
export function attempt<T>(run: () => T): () => T {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => fail(error as Error);
  }
}
