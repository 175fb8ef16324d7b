import { type FallbackTarget } from './fallback-target.ts';
import { Session } from './session.ts';
import { Socket } from './socket.ts';
import { type End, lost, type Transport, type TransportEvents, type TransportKind } from './transport.ts';
import type { World } from './world.ts';

/** A WebSocket that has not opened after so long gets company. */
const companyAfterMs = 2500;
/** A WebSocket that was sent something and has brought nothing after so long is swallowed frame by frame: both dialects are answered at once. */
const silentMsMax = 15_000;
/** Neither has: both are given up. */
const openMsMax = 20_000;

export interface Destination {
  readonly url: string;
  readonly protocols: string | string[];
  /** Absent where there is no fallback for this URL. */
  readonly fallback: FallbackTarget | undefined;
  /** What is remembered, is remembered of it. */
  readonly origin: string;
}

/**
 * Finds the transport that works, and is it from then on: WebSocket first, or the fallback where that is what worked a moment ago. The other one is tried at once when the first fails, and
 * beside it when it hangs; whichever opens first is kept.
 */
export class Connection implements Transport {
  readonly #world: World;
  readonly #destination: Destination;
  readonly #events: TransportEvents;
  readonly #trying = new Map<TransportKind, Transport>();
  readonly #untried: TransportKind[] = [];
  readonly #timers: (() => void)[] = [];
  #best: End = lost('nothing answers');
  #kept: Transport | undefined;
  #kind: TransportKind | undefined;
  #openedMs = 0;
  #hasDelivered = false;
  #hasSent = false;
  #isOver = false;

  constructor(world: World, destination: Destination, events: TransportEvents) {
    this.#world = world;
    this.#destination = destination;
    this.#events = events;
    const { memory } = world;
    const { origin, fallback } = destination;
    const nowMs = world.nowMs();
    if (world.WebSocket) this.#untried.push('websocket');
    if (fallback) this.#untried.push('fallback');
    if (memory.beginsWithFallback(origin, nowMs)) this.#untried.reverse();
    this.#in(memory.waitMs(origin, nowMs, world.random()), () => {
      this.#in(openMsMax, () => this.#end(this.#best));
      this.#tryNext();
    });
  }

  /** Once it is open. */
  get kind(): TransportKind | undefined {
    return this.#kind;
  }

  get bufferedAmount(): number {
    return this.#kept?.bufferedAmount ?? 0;
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    this.#hasSent = true;
    this.#kept?.send(frame);
  }

  close(code: number | undefined, reason: string): void {
    if (this.#kept) this.#kept.close(code, reason);
    else this.#in(0, () => this.#end(lost('closed before it was open')));
  }

  drop(): void {
    this.#isOver = true;
    for (const cancel of this.#timers) cancel();
    for (const transport of this.#trying.values()) transport.drop();
  }

  leave(): void {
    this.#kept?.leave?.();
    this.drop();
  }

  #in(ms: number, run: () => void): void {
    this.#timers.push(this.#world.after(ms, run));
  }

  #tryNext(): void {
    const kind = this.#untried.shift();
    if (kind === undefined) {
      if (this.#trying.size === 0) this.#end(this.#best);
      return;
    }
    this.#in(companyAfterMs, () => this.#tryNext());
    try {
      this.#trying.set(kind, this.#begun(kind));
    } catch (error) {
      // A page that came by https may not open `ws://`.
      this.#failed(kind, lost(String(error)));
    }
  }

  #begun(kind: TransportKind): Transport {
    const { url, protocols, fallback } = this.#destination;
    const events = this.#eventsOf(kind);
    return kind === 'websocket' ? new Socket(this.#world.WebSocket!, url, protocols, events) : new Session(this.#world, fallback!, events);
  }

  #eventsOf(kind: TransportKind): TransportEvents {
    return {
      opened: (about) => {
        this.#keep(kind);
        this.#events.opened(about);
      },
      message: (data) => {
        this.#hasDelivered = true;
        this.#events.message(data);
      },
      ended: (end) => {
        const transport = this.#trying.get(kind);
        this.#trying.delete(kind);
        if (transport === this.#kept) this.#ended(kind, end);
        else this.#failed(kind, end);
      },
    };
  }

  #keep(kind: TransportKind): void {
    const { memory, nowMs } = this.#world;
    const { origin } = this.#destination;
    this.#kind = kind;
    this.#kept = this.#trying.get(kind);
    this.#openedMs = nowMs();
    this.#trying.delete(kind);
    for (const cancel of this.#timers.splice(0)) cancel();
    for (const loser of this.#trying.values()) loser.drop();
    this.#trying.clear();
    this.#trying.set(kind, this.#kept!);
    memory.leaveAlone(origin, 0);
    if (kind === 'websocket' && this.#destination.fallback)
      this.#in(silentMsMax, () => {
        if (!this.#hasSent || this.#hasDelivered) return;
        memory.preferFallback(origin, nowMs());
        this.#ended(kind, lost('nothing came'));
      });
    const webSocketWasTried = this.#world.WebSocket !== undefined && !this.#untried.includes('websocket');
    if (kind === 'fallback' && webSocketWasTried) memory.preferFallback(origin, this.#openedMs);
  }

  /** It had been open. */
  #ended(kind: TransportKind, end: End): void {
    const { memory, nowMs } = this.#world;
    const { origin } = this.#destination;
    const isAbnormal = end.code === 1006;
    if (kind === 'websocket')
      memory.webSocketEnded(origin, nowMs(), { openedMs: this.#openedMs, isAbnormal, hasDelivered: this.#hasDelivered });
    if (isAbnormal || end.code === 1012) memory.connectionLost(origin);
    this.#end(end);
  }

  /** It never was. */
  #failed(kind: TransportKind, end: End): void {
    const { memory, nowMs } = this.#world;
    const { origin } = this.#destination;
    if (kind === 'fallback' && !end.refused) memory.forgetFallback(origin);
    if (end.refused === 'for-now') memory.leaveAlone(origin, nowMs() + (end.retryAfterMs ?? 0));
    if (end.refused) this.#untried.length = 0;
    // What the server said of why says more than that there was no connection.
    if (!this.#best.refused) this.#best = end;
    if (end.refused === 'for-good') this.#end(end);
    else this.#tryNext();
  }

  #end(end: End): void {
    if (this.#isOver) return;
    this.drop();
    this.#events.ended(end);
  }
}
