import type { ClientEdge, ClientSocket, ConnectionHandler, GatewayCore } from '@weft/gateway';
import type { Allowed } from '@weft/grants';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimProcess } from './sim-process.ts';

/** A client's side of a connection. */
export interface ClientEnd {
  frame(bytes: Uint8Array): void;
  /** 1006: the connection broke. */
  closed(code: number, reason: string): void;
}

export type Dialect = 'collab' | 'y';

/** How the client reads: bytes a ms, and what its kernel takes off the gateway's hands. */
export interface Reading {
  readonly bytesPerMs: number;
  readonly kernelBytes: number;
}

/** The gateway's port, without uWebSockets.js: sockets and topics, and beyond a bound of unsent bytes the connection is cut, as there. */
export class SimPort implements ClientEdge {
  readonly process: SimProcess;
  readonly sockets = new Set<SimSocket>();
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly unsentBytesMax: number;
  /** The largest frame a client sent: alone it is taken whatever its size. */
  frameBytesSeen = 0;
  #core: GatewayCore | undefined;
  #accepts = false;

  constructor(parts: { process: SimProcess; scheduler: Scheduler; random: Random; unsentBytesMax: number }) {
    this.process = parts.process;
    this.scheduler = parts.scheduler;
    this.random = parts.random;
    this.unsentBytesMax = parts.unsentBytesMax;
  }

  readonly publish = (topic: string, frame: Uint8Array): void => this.publishBut(undefined, topic, frame);

  publishBut(sender: SimSocket | undefined, topic: string, frame: Uint8Array): void {
    for (const socket of this.sockets) if (socket !== sender && socket.topics.has(topic)) socket.send(frame);
  }

  listen(core: GatewayCore): Promise<number> {
    this.#core = core;
    this.#accepts = true;
    return Promise.resolve(1);
  }

  stopAccepting(): void {
    this.#accepts = false;
  }

  /** Edits the gateway holds that nobody was told of yet. */
  get unacknowledgedBytes(): number {
    return this.process.isAlive ? (this.#core?.unacknowledgedBytes ?? 0) : 0;
  }

  get isOpen(): boolean {
    return this.#accepts && this.process.isAlive && !this.process.isStopped;
  }

  /** The connection is there; the gateway sees it as a handler. */
  connect(dialect: Dialect, document: string, allowed: Allowed, end: ClientEnd, reading: Reading): SimSocket | undefined {
    const core = this.#core;
    if (!core || !this.isOpen) return undefined;
    const socket = new SimSocket(this, end, reading);
    this.sockets.add(socket);
    this.process.run(() => {
      socket.handler = dialect === 'collab' ? core.connectCollab(socket) : core.connectYjs(socket, document, { token: '', allowed });
      socket.onGone = () => core.disconnected(socket.handler!);
    });
    return socket;
  }

  /** The process died: the kernel resets what was open. */
  cut(): void {
    for (const socket of this.sockets) socket.break();
  }
}

export class SimSocket implements ClientSocket {
  readonly topics = new Set<string>();
  handler: ConnectionHandler | undefined;
  onGone: (() => void) | undefined;
  readonly #port: SimPort;
  readonly #end: ClientEnd;
  readonly #reading: Reading;
  #unreadBytes = 0;
  /** When the last byte sent so far has left. */
  #leftAtMs = 0;
  #arrivesAtMs = 0;
  #reachesAtMs = 0;
  #gone = false;

  constructor(port: SimPort, end: ClientEnd, reading: Reading) {
    this.#port = port;
    this.#end = end;
    this.#reading = reading;
  }

  send(frame: Uint8Array): void {
    if (this.#gone) return;
    const { scheduler, random, process, unsentBytesMax } = this.#port;
    const bytes = frame.slice();
    this.#unreadBytes += bytes.byteLength;
    if (this.bufferedBytes() > unsentBytesMax) return this.#end1006();
    this.#leftAtMs = Math.max(this.#leftAtMs, scheduler.nowMs) + bytes.byteLength / this.#reading.bytesPerMs;
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, this.#leftAtMs + random.between(0.5, 5));
    scheduler.after(this.#leftAtMs - scheduler.nowMs, () => {
      const waited = this.bufferedBytes() > 0;
      this.#unreadBytes -= bytes.byteLength;
      if (waited && !this.#gone) process.run(() => this.handler?.drained());
    });
    scheduler.after(this.#arrivesAtMs - scheduler.nowMs, () => {
      if (!this.#gone || this.#closing) this.#end.frame(bytes);
    });
  }

  bufferedBytes(): number {
    return this.#gone ? 0 : Math.max(0, this.#unreadBytes - this.#reading.kernelBytes);
  }

  subscribe(topic: string): void {
    if (!this.#gone) this.topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic);
  }

  publishToOthers(topic: string, frame: Uint8Array): void {
    if (!this.#gone) this.#port.publishBut(this, topic, frame);
  }

  cork(sends: () => void): void {
    if (!this.#gone) sends();
  }

  /** The gateway closes: what was sent before arrives before the close does. */
  #closing = false;
  close(code: number, reason: string): void {
    if (this.#gone) return;
    this.#closing = true;
    this.#leave();
    this.#port.scheduler.after(Math.max(0, this.#arrivesAtMs - this.#port.scheduler.nowMs) + 1, () => {
      this.#closing = false;
      this.#end.closed(code, reason);
    });
  }

  /** The client sends; it arrives in order. */
  reach(frame: Uint8Array): void {
    const { scheduler, random, process } = this.#port;
    const bytes = frame.slice();
    this.#port.frameBytesSeen = Math.max(this.#port.frameBytesSeen, bytes.byteLength);
    this.#reachesAtMs = Math.max(this.#reachesAtMs, scheduler.nowMs + random.between(0.5, 5));
    scheduler.after(this.#reachesAtMs - scheduler.nowMs, () => {
      if (!this.#gone)
        process.run(() => {
          if (!this.#gone) this.handler?.frame(bytes, true);
          // As uWebSockets.js does with its buffer: whoever kept a view of it would see.
          bytes.fill(0xff);
        });
    });
  }

  /** The client's side ends, or the network between. The gateway notices; the client knows, or hears 1006. */
  break(): void {
    if (!this.#gone) this.#end1006();
  }

  #end1006(): void {
    this.#leave();
    // Who types on meanwhile sends into a dead connection.
    const noticedMs = this.#port.random.chance(0.7) ? 1 : this.#port.random.exponential(700);
    this.#port.scheduler.after(noticedMs, () => this.#end.closed(1006, 'the connection broke'));
  }

  #leave(): void {
    this.#gone = true;
    this.topics.clear();
    this.#port.sockets.delete(this);
    // `end` of uWebSockets.js runs the close handler before it returns.
    this.#port.process.run(() => this.onGone?.());
  }
}
