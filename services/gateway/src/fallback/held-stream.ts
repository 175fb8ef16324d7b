import type { Peer } from '@weft/protocol';
import type { BeginStream, EventStream } from './session.ts';

/** So many bytes taken are told at once, fewer a moment later. */
const tellBytes = 32 * 1024;
/** An owner asks every 15 s; one that says nothing for so long has forgotten the stream. */
const silentMs = 45_000;

/** The holder's side: the response is here, the session elsewhere. */
export class HeldStream {
  readonly owner: Peer;
  readonly session: string;
  readonly #world: HeldStreamWorld;
  #response: EventStream | undefined;
  /** What came before the response could begin. */
  #early: string[] = [];
  #received = 0;
  #told = 0;
  #isTelling = false;
  #isEnding = false;
  #isOver = false;
  #heardAtMs: number;

  constructor(session: string, owner: Peer, world: HeldStreamWorld) {
    this.session = session;
    this.owner = owner;
    this.#world = world;
    this.#heardAtMs = world.nowMs();
  }

  /** The owner agreed. False: it is over before it began. */
  begin(begin: BeginStream): boolean {
    if (this.#isOver) return false;
    this.#response = begin({ gone: () => this.#gone(), drained: () => this.#tellSoon() });
    if (!this.#response) {
      this.#gone();
      return true;
    }
    for (const text of this.#early) this.#response.write(text);
    this.#early = [];
    this.#tellSoon();
    if (this.#isEnding) this.end();
    return true;
  }

  /** False: something before it was lost; the stream is over, and the client takes it up again. */
  events(offset: number, data: Uint8Array): boolean {
    if (!this.isAt(offset)) return false;
    this.#received += data.byteLength;
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
    if (!this.#response) {
      this.#early.push(text);
      return true;
    }
    this.#response.write(text);
    this.#tellSoon();
    return true;
  }

  /** Whether everything is here that was sent; what was taken is told again. */
  isAt(offset: number): boolean {
    this.#heardAtMs = this.#world.nowMs();
    if (offset === this.#received) return true;
    this.abandon();
    return false;
  }

  /** Once everything is out. */
  end(): void {
    this.#isEnding = true;
    if (!this.#response) return;
    this.#over();
    this.#response.end();
  }

  cut(): void {
    this.#over();
    this.#response?.cut();
  }

  /** The client is to come again; the owner is told. */
  abandon(): void {
    if (this.#isOver) return;
    this.#gone();
    this.#response?.end();
  }

  isForgotten(nowMs: number): boolean {
    return nowMs - this.#heardAtMs > silentMs;
  }

  /** What the client's connection has taken, now. */
  tell(): void {
    if (this.#isOver || !this.#response) return;
    // A comment of our own may be on its way, too.
    this.#told = Math.max(this.#told, this.#received - this.#response.unsentBytes);
    this.#world.taken(this.#told);
  }

  #tellSoon(): void {
    if (this.#isOver || !this.#response) return;
    if (this.#received - this.#response.unsentBytes - this.#told >= tellBytes) return this.tell();
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#world.later(() => {
      this.#isTelling = false;
      this.tell();
    });
  }

  #gone(): void {
    if (this.#isOver) return;
    this.#over();
    this.#world.gone();
  }

  #over(): void {
    this.#isOver = true;
    this.#early = [];
    this.#world.ended();
  }
}

export interface HeldStreamWorld {
  nowMs(): number;
  /** A few milliseconds. */
  later(run: () => void): void;
  /** Tells the owner. */
  taken(bytes: number): void;
  /** Tells the owner. */
  gone(): void;
  /** Nothing it hears counts any more. */
  ended(): void;
}
