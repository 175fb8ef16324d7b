import type { Peer } from '@weft/protocol';
import type { SessionMessage } from './session-messages.ts';
import type { EventStream, StreamEvents } from './session.ts';

/** What was sent and not taken is asked about after so long; a stream that needs nothing, after `quietAskMs`. */
const askAgainMs = 2_000;
const quietAskMs = 15_000;
/** A holder that says nothing for so long does not hold it any more. */
const silentMs = 45_000;

/** The owner's side of a stream whose response another gateway has. */
export class RemoteStream implements EventStream {
  readonly holder: Peer;
  readonly #session: string;
  readonly #stream: number;
  readonly #events: StreamEvents;
  readonly #world: RemoteStreamWorld;
  #sent = 0;
  #taken = 0;
  #heardAtMs: number;
  #askedAtMs: number;

  constructor(of: { session: string; holder: Peer; stream: number }, events: StreamEvents, world: RemoteStreamWorld) {
    this.holder = of.holder;
    this.#session = of.session;
    this.#stream = of.stream;
    this.#events = events;
    this.#world = world;
    this.#heardAtMs = world.nowMs();
    this.#askedAtMs = world.nowMs();
  }

  get unsentBytes(): number {
    return this.#sent - this.#taken;
  }

  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const { chunkBytesMax } = this.#world;
    if (this.unsentBytes === 0) this.#askedAtMs = this.#world.nowMs();
    for (let at = 0; at < bytes.byteLength; at += chunkBytesMax) {
      const data = bytes.subarray(at, at + chunkBytesMax);
      this.#world.send(this.holder, { kind: 'events', session: this.#session, stream: this.#stream, offset: this.#sent, data });
      this.#sent += data.byteLength;
    }
  }

  end(): void {
    this.#say('end');
    this.#world.ended(this);
  }

  cut(): void {
    this.#say('cut');
    this.#world.ended(this);
  }

  taken(bytes: number): void {
    this.#heardAtMs = this.#world.nowMs();
    if (bytes <= this.#taken || bytes > this.#sent) return;
    this.#taken = bytes;
    this.#askedAtMs = this.#heardAtMs;
    this.#events.drained();
  }

  gone(): void {
    this.#world.ended(this);
    this.#events.gone();
  }

  /** Called once a second. */
  tick(): void {
    const nowMs = this.#world.nowMs();
    if (nowMs - this.#heardAtMs > silentMs) return this.gone();
    if (nowMs - this.#askedAtMs < (this.unsentBytes > 0 ? askAgainMs : quietAskMs)) return;
    this.#askedAtMs = nowMs;
    this.#say('at');
  }

  #say(kind: 'at' | 'end' | 'cut'): void {
    this.#world.send(this.holder, { kind, session: this.#session, stream: this.#stream, offset: this.#sent });
  }
}

export interface RemoteStreamWorld {
  readonly chunkBytesMax: number;
  nowMs(): number;
  send(to: Peer, message: SessionMessage): void;
  /** Nothing it hears counts any more. */
  ended(stream: RemoteStream): void;
}
