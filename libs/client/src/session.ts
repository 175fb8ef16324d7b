import type { StreamEvent } from './event-parser.ts';
import type { FallbackTarget } from './fallback-target.ts';
import { framesOf } from './frames.ts';
import { Pusher } from './pusher.ts';
import { readStream } from './stream.ts';
import { type End, lost, type Transport, type TransportEvents } from './transport.ts';
import { pauseMs, sleep, type World } from './world.ts';

/** What was received is confirmed by a push of its own, where there is none to say it, after so long or so much. */
const seenAfterMs = 5000;
const seenAfterChars = 64 * 1024;
/** A goodbye without an answer for so long is over. */
const closeMsMax = 3000;
/** A stream that lived so long, or brought something, was a good one: the pauses begin anew. */
const goodStreamMs = 5000;
/** A stream that has not begun after so long never will. */
const beginMsMax = 15_000;
/** Of a keep-alive. Less would take a late one for a broken stream. */
const silentKeepAlives = 2.5;

interface Opening {
  readonly session: string;
  readonly resumeMs: number;
  readonly keepAliveMs: number;
  readonly pushBytesMax: number;
}

/** Push and server-sent events as a transport: decision 0015, the client's side. */
export class Session implements Transport {
  readonly #world: World;
  readonly #target: FallbackTarget;
  readonly #events: TransportEvents;
  #stream = new AbortController();
  /** Set by the `open` event. */
  #opening: Opening | undefined;
  #pusher: Pusher | undefined;
  /** Number of the last event received. */
  #received = 0;
  #unconfirmedChars = 0;
  #cancelConfirming: (() => void) | undefined;
  #closing: End | undefined;
  /** When something last came. */
  #aliveMs = 0;
  #life = new AbortController();

  constructor(world: World, target: FallbackTarget, events: TransportEvents) {
    this.#world = world;
    this.#target = target;
    this.#events = events;
    void this.#run();
  }

  get bufferedAmount(): number {
    return this.#pusher?.unansweredBytes ?? 0;
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    this.#pusher?.send(frame);
  }

  close(code: number | undefined, reason: string): void {
    // What a close frame without a code comes out as.
    this.#closing = { code: code ?? 1005, reason, wasClean: true, failed: false };
    this.#pusher?.close(code ?? 1000);
    void sleep(this.#world, closeMsMax, this.#life.signal).then(() => this.#end(lost('the goodbye had no answer')));
  }

  drop(): void {
    this.#life.abort();
    this.#pusher?.stop();
    this.#stream.abort();
    this.#cancelConfirming?.();
  }

  leave(): void {
    this.#pusher?.leave();
    this.drop();
  }

  get #isOver(): boolean {
    return this.#life.signal.aborted;
  }

  async #run(): Promise<void> {
    let tries = 0;
    let brokeMs = 0;
    while (!this.#isOver) {
      const sinceMs = this.#world.nowMs();
      const received = this.#received;
      const end = await this.#follow();
      if (this.#received > received || this.#aliveMs - sinceMs > goodStreamMs) tries = 0;
      if (tries === 0) brokeMs = this.#world.nowMs();
      // After the goodbye its answer is waited for, and nothing else.
      if (this.#closing) return;
      if (!this.#opening || end.refused === 'for-good' || this.#world.nowMs() - brokeMs > this.#opening.resumeMs) return this.#end(end);
      tries += 1;
      await sleep(this.#world, Math.max(pauseMs(this.#world, tries), end.retryAfterMs ?? 0), this.#life.signal);
    }
  }

  #follow(): Promise<End> {
    const opening = this.#opening;
    this.#stream = new AbortController();
    let hasBegun = false;
    const url = opening ? `${this.#target.sse}?session=${encodeURIComponent(opening.session)}&after=${this.#received}` : this.#target.open;
    return readStream(this.#world, url, this.#stream, {
      hasSession: opening !== undefined,
      silenceMsMax: () => (hasBegun && this.#opening ? this.#opening.keepAliveMs * silentKeepAlives : beginMsMax),
      alive: () => {
        hasBegun = true;
        this.#aliveMs = this.#world.nowMs();
      },
      event: (event) => this.#event(event),
    });
  }

  #event({ type, id, data }: StreamEvent): void {
    if (this.#isOver) return;
    try {
      if (type === 'open') return this.#open(JSON.parse(data) as Opening);
      const number = Number(id);
      if (number <= this.#received) return;
      // Something is missing: what comes after the last one is asked for again.
      if (number !== this.#received + 1) return this.#stream.abort();
      const frames = type === 'message' ? framesOf(data) : [];
      this.#received = number;
      if (type === 'close') {
        const { code, reason } = JSON.parse(data) as { code: number; reason: string };
        return this.#end({ code, reason, wasClean: true, failed: false });
      }
      this.#confirm(data.length);
      for (const frame of frames) if (!this.#isOver) this.#events.message(frame);
    } catch {
      // It would be the same the next time.
      this.#end(lost('an event cannot be read'));
    }
  }

  #open(opening: Opening): void {
    if (this.#opening) return;
    this.#opening = opening;
    const session = encodeURIComponent(opening.session);
    this.#pusher = new Pusher(this.#world, {
      bodyBytesMax: opening.pushBytesMax,
      url: (n) => {
        this.#confirmed();
        return `${this.#target.push}?session=${session}&n=${n}&seen=${this.#received}`;
      },
      failed: (end) => this.#end(end),
      closed: () => this.#end(this.#closing ?? lost()),
    });
    this.#events.opened({ protocol: '', extensions: '' });
  }

  #confirm(chars: number): void {
    this.#unconfirmedChars += chars;
    if (this.#unconfirmedChars > seenAfterChars) this.#pusher?.want();
    else this.#cancelConfirming ??= this.#world.after(seenAfterMs, () => this.#pusher?.want());
  }

  #confirmed(): void {
    this.#unconfirmedChars = 0;
    this.#cancelConfirming?.();
    this.#cancelConfirming = undefined;
  }

  #end(end: End): void {
    if (this.#isOver) return;
    this.drop();
    this.#events.ended(end);
  }
}
