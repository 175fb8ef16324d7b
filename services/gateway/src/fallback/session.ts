import { CLOSE } from '@weft/protocol';
import type { ClientSocket } from '../client-socket.ts';
import type { ConnectionHandler } from '../connection-world.ts';
import { TokenBucket } from '../token-bucket.ts';
import { type CloseEvent, closeEvent, framesEvent, frameText } from './event-stream.ts';
import { framesOf } from './push-body.ts';
import { type Answer, badRequest, type Refusal, sessionOver } from './refusal.ts';
import type { TopicMember, Topics } from './topics.ts';

/** An event is sent before the end of its tick when it has so many bytes. */
const eventBytesMax = 256 * 1024;
/** So many bytes the stream is given ahead of what the client's connection takes. */
const streamWindowBytes = 128 * 1024;
/** Around an event's frames: number and field names. */
const eventOverheadBytes = 24;

/** Where a session's events go: a response of this gateway, or of another. */
export interface EventStream {
  /** Whole events, in order. */
  write(text: string): void;
  /** Of what was written, what the client's connection has not taken. */
  readonly unsentBytes: number;
  /** Once what was written is out. */
  end(): void;
  /** At once. */
  cut(): void;
}

/** What a stream tells. */
export interface StreamEvents {
  /** The client's connection is gone, and nobody here ended it. */
  gone(): void;
  /** It has taken something. */
  drained(): void;
}

/** undefined: who asked for it is gone already. */
export type BeginStream = (events: StreamEvents) => EventStream | undefined;

/**
 * A client without WebSocket: a stream down, numbered pushes up; to the core a socket like any other (SPEC GW40..). Events are numbered and kept until the client is known to have them, so that a stream that broke is
 * taken up where it ended.
 *
 *   - `with a stream`: events go as far as its window allows; what was sent and not confirmed is kept up to `keptBytesMax`, the oldest forgotten first.
 *   - `without`: everything not confirmed waits, up to `unsentBytesMax`.
 *   - `over`: what is left goes out, pushes and resumes hear why.
 */
export class Session implements ClientSocket, TopicMember {
  readonly id: string;
  readonly abused: () => void;
  readonly #world: SessionWorld;
  readonly #limits: SessionLimits;
  readonly #topics = new Set<string>();
  readonly #pushRate: TokenBucket;
  #handler: ConnectionHandler | undefined;
  /** Frames of this tick, not yet an event. */
  #pending: string[] = [];
  #pendingBytes = 0;
  /** Oldest first; `#sent` of them are with the stream already. */
  readonly #events: KeptEvent[] = [];
  #sent = 0;
  #sentBytes = 0;
  #unsentBytes = 0;
  #lastEvent = 0;
  #lastPush = 0;
  /** The newest event that is not here any more, confirmed or forgotten. */
  #gone = 0;
  #stream: EventStream | undefined;
  /** Since when it has no stream. */
  #aloneSinceMs: number | undefined;
  /** When the client last said something. */
  #heardAtMs: number;
  #over: { readonly close: CloseEvent; readonly atMs: number } | undefined;
  /** More than may wait: the rest is not taken, and it ends with the tick. */
  #overflowed = false;

  constructor(id: string, limits: SessionLimits, world: SessionWorld, abused: () => void) {
    this.id = id;
    this.abused = abused;
    this.#limits = limits;
    this.#world = world;
    const { pushesPerSecond } = limits;
    this.#pushRate = new TokenBucket({ perSecond: pushesPerSecond, burst: 20 * pushesPerSecond }, world.nowMs());
    this.#aloneSinceMs = world.nowMs();
    this.#heardAtMs = world.nowMs();
  }

  /** Who serves it; at once after it was made. */
  serve(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  get handler(): ConnectionHandler | undefined {
    return this.#handler;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** What it is over with, and when that was. */
  get over(): { readonly close: CloseEvent; readonly atMs: number } | undefined {
    return this.#over;
  }

  send(frame: Uint8Array): void {
    this.sendText(frameText(frame));
  }

  sendText(frame: string): void {
    if (this.#over || this.#overflowed) return;
    this.#pending.push(frame);
    this.#pendingBytes += frame.length + 1;
    if (this.bufferedBytes() + this.#pendingBytes > this.#limits.unsentBytesMax) this.#overflowed = true;
    if (this.#pendingBytes > eventBytesMax) {
      this.#makeEvent();
      this.#pump();
    }
    this.#world.changed(this);
  }

  /** Not what this tick may still send at once, which is little: who looks in the middle of it sees what the connection has not taken. */
  bufferedBytes(): number {
    return this.#over ? 0 : this.#unsentBytes + (this.#stream?.unsentBytes ?? 0);
  }

  subscribe(topic: string): void {
    if (this.#over) return;
    this.#topics.add(topic);
    this.#world.topics.subscribe(topic, this);
  }

  unsubscribe(topic: string): void {
    if (this.#topics.delete(topic)) this.#world.topics.unsubscribe(topic, this);
  }

  publishToOthers(topic: string, frame: Uint8Array): void {
    if (!this.#over) this.#world.publishFrom(this, topic, frame);
  }

  /** What is sent in one tick leaves together anyway. */
  cork(sends: () => void): void {
    if (!this.#over) sends();
  }

  close(code: number, reason: string): void {
    if (this.#over) return;
    this.#makeEvent();
    const close = { code, reason };
    const n = ++this.#lastEvent;
    this.#keep({ n, text: () => closeEvent(n, close), bytes: reason.length + eventOverheadBytes, sentAtMs: 0 });
    this.#over = { close, atMs: this.#world.nowMs() };
    for (const topic of this.#topics) this.#world.topics.unsubscribe(topic, this);
    this.#topics.clear();
    if (this.#stream) this.#pump();
    else this.#events.length = 0;
    this.#world.ended(this);
  }

  /** The end of a tick: what was sent in it leaves as one event. */
  flush(): void {
    if (this.#over) return;
    this.#makeEvent();
    this.#pump();
    if (this.#overflowed) this.close(CLOSE.tryAgainLater.code, `too slow: more than ${this.#limits.unsentBytesMax} bytes wait to be sent`);
  }

  #streamDrained(stream: EventStream | undefined): void {
    if (stream === undefined || stream !== this.#stream) return;
    this.#pump();
    if (!this.#over) this.#drained();
  }

  #streamGone(stream: EventStream | undefined): void {
    if (stream === undefined || stream !== this.#stream) return;
    this.#stream = undefined;
    this.#aloneSinceMs = this.#world.nowMs();
    this.#rewind();
    // Nobody will ask for what is left.
    if (this.#over) this.#events.length = 0;
  }

  /** The stream that opens it. */
  begin(begin: BeginStream): void {
    const stream = begin({
      gone: () => this.#streamGone(stream),
      drained: () => this.#streamDrained(stream),
    });
    if (!stream) return;
    this.#stream = stream;
    this.#aloneSinceMs = undefined;
    this.#pump();
  }

  /** Whether a stream may go on after event `after`. It may not come to `resume` yet. */
  mayResume(after: number): Answer {
    if (this.#over) return sessionOver(this.#over.close);
    if (after > this.#lastEvent) return badRequest(`the last event was ${this.#lastEvent}: ${after} cannot have been received`);
    if (after >= this.#gone) return undefined;
    const lost = { code: CLOSE.tryAgainLater.code, reason: 'too much was sent that did not arrive' };
    // With a stream it goes on: it may be an old request that came late.
    if (!this.#stream) this.close(lost.code, lost.reason);
    return sessionOver(lost);
  }

  /** Whoever has events up to `after` gets the others here; `mayResume` said yes. */
  resume(after: number, begin: BeginStream): void {
    this.#heardAtMs = this.#world.nowMs();
    const before = this.#stream;
    this.#stream = undefined;
    this.#aloneSinceMs ??= this.#heardAtMs;
    before?.cut();
    this.#confirm(after);
    this.#rewind();
    this.begin(begin);
    if (!this.#over) this.#drained();
  }

  /** `body`: whole frames. */
  push({ n, seen, close, body }: Push): Answer {
    // It was taken; the answer was lost.
    if (n <= this.#lastPush) return undefined;
    if (this.#over) return sessionOver(this.#over.close);
    const problem = this.#pushProblem(n, seen);
    if (problem) return problem;
    this.#heardAtMs = this.#world.nowMs();
    this.#lastPush = n;
    if (seen !== undefined) this.#confirm(seen);
    this.#guarded((handler) => {
      for (const frame of framesOf(body)) {
        if (this.#over) return;
        handler.frame(frame, true);
      }
    });
    if (close !== undefined) this.close(close, 'closed by the client');
    return undefined;
  }

  /** Called once a second. True: it has been without a stream for too long. */
  isAbandoned(nowMs: number): boolean {
    const first = this.#events[0];
    const stream = this.#stream;
    // Nobody confirms what goes into it: the connection is dead, only nobody told us.
    if (stream && first && this.#sent > 0 && nowMs - Math.max(first.sentAtMs, this.#heardAtMs) > this.#limits.unconfirmedMs) {
      this.#streamGone(stream);
      stream.cut();
    }
    return this.#aloneSinceMs !== undefined && nowMs - this.#aloneSinceMs > this.#limits.resumeMs;
  }

  /** Nobody needs it any more. */
  forget(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cut();
    this.#events.length = 0;
  }

  #drained(): void {
    this.#guarded((handler) => handler.drained());
  }

  /** A mistake of ours while one is served ends that one, not the process with everybody on it. */
  #guarded(run: (handler: ConnectionHandler) => void): void {
    if (!this.#handler) return;
    try {
      run(this.#handler);
    } catch (error) {
      this.#world.failed(error, this);
      this.close(CLOSE.tryAgainLater.code, 'something went wrong here');
    }
  }

  #pushProblem(n: number, seen: number | undefined): Refusal | undefined {
    if (n !== this.#lastPush + 1)
      return { status: 409, code: 'out-of-order', message: `push ${n} is not the next: ${this.#lastPush + 1} is expected` };
    if (seen !== undefined && seen > this.#lastEvent)
      return badRequest(`the last event was ${this.#lastEvent}: ${seen} cannot have been received`);
    if (this.#pushRate.take(1, this.#world.nowMs())) return undefined;
    const { pushesPerSecond } = this.#limits;
    return { status: 429, code: 'rate-limited', message: `more than ${pushesPerSecond} pushes a second for 20 s`, retryAfterS: 1 };
  }

  #makeEvent(): void {
    if (this.#pending.length === 0) return;
    const frames = this.#pending;
    const n = ++this.#lastEvent;
    // Made when it is sent: its frames are shared with everybody who is sent them, its text would be its own.
    this.#keep({ n, text: () => framesEvent(n, frames), bytes: this.#pendingBytes + eventOverheadBytes, sentAtMs: 0 });
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #keep(event: KeptEvent): void {
    this.#events.push(event);
    this.#unsentBytes += event.bytes;
  }

  #pump(): void {
    const stream = this.#stream;
    if (!stream) return;
    while (this.#sent < this.#events.length && stream.unsentBytes < streamWindowBytes) {
      const event = this.#events[this.#sent]!;
      this.#sent += 1;
      this.#sentBytes += event.bytes;
      this.#unsentBytes -= event.bytes;
      event.sentAtMs = this.#world.nowMs();
      stream.write(event.text());
    }
    // The last one sent is never forgotten: it may be larger than the bound.
    while (this.#sentBytes > this.#limits.keptBytesMax && this.#sent > 1) this.#drop();
    if (this.#over && this.#sent === this.#events.length) {
      this.#stream = undefined;
      stream.end();
    }
  }

  /** All that is here has to be sent once more. */
  #rewind(): void {
    this.#unsentBytes += this.#sentBytes;
    this.#sentBytes = 0;
    this.#sent = 0;
  }

  #confirm(seen: number): void {
    while (this.#events.length > 0 && this.#events[0]!.n <= seen) this.#drop();
  }

  /** The oldest. */
  #drop(): void {
    const event = this.#events.shift()!;
    this.#gone = event.n;
    if (this.#sent === 0) this.#unsentBytes -= event.bytes;
    else {
      this.#sent -= 1;
      this.#sentBytes -= event.bytes;
    }
  }
}

interface KeptEvent {
  readonly n: number;
  readonly text: () => string;
  readonly bytes: number;
  sentAtMs: number;
}

export interface Push {
  /** Counted from 1. */
  readonly n: number;
  /** The client has the events up to this one. */
  readonly seen: number | undefined;
  /** It leaves, with this code, once its frames are taken. */
  readonly close: number | undefined;
  readonly body: Uint8Array;
}

export interface SessionLimits {
  /** What may wait to be sent; beyond it the session ends. */
  readonly unsentBytesMax: number;
  /** Of what was sent and not confirmed; beyond it the oldest is forgotten, and a client that lacks it cannot resume. */
  readonly keptBytesMax: number;
  readonly pushesPerSecond: number;
  /** So long a session goes without a stream. */
  readonly resumeMs: number;
  /** So long something sent may stay unconfirmed before the stream is taken for dead. */
  readonly unconfirmedMs: number;
}

/** What a session needs of the rest. */
export interface SessionWorld {
  readonly topics: Topics;
  nowMs(): number;
  /** Its `flush` is to be called at the end of the tick. */
  changed(session: Session): void;
  /** To every subscriber but this one, sockets too. */
  publishFrom(session: Session, topic: string, frame: Uint8Array): void;
  /** It is over, and its handler has no socket any more. */
  ended(session: Session): void;
  failed(error: unknown, session: Session): void;
}
