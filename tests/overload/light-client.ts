import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { collab, readCollab, type ServerFrame } from '../limits/frames.ts';

/** A provider comes back so long after a drop (protocol.md). */
const returnMs = 1_000;
/** It renews its awareness so often (y-protocols): a connection that says nothing for a minute is taken for dead. */
const renewMs = 15_000;

export interface LightClientOptions {
  readonly document: string;
  readonly token: string;
  /** `ws://…` of the gateways it may use: the first to begin with, the next one after each drop. */
  readonly urls: readonly string[];
  /** Called for each of its edits that was acknowledged. */
  readonly onAcknowledged?: (sentAtMs: number, atMs: number) => void;
  /** Something of the others was applied. */
  readonly onNews?: () => void;
}

/**
 * Somebody with a document open in the Hocuspocus dialect, written from protocol.md and as light as can be: hundreds of them fit one process. It behaves as a
 * provider does: keeps what is not acknowledged, comes back a second after a drop to whichever gateway is there, and brings along what the house lacks.
 */
export class LightClient {
  readonly doc = new Y.Doc();
  readonly #options: LightClientOptions;
  #socket: WebSocket | undefined;
  #renewals = 0;
  #turn = 0;
  #left = false;
  /** For each frame sent that is to be acknowledged, in order: when the edits in it were made. */
  #asked: number[][] = [];
  /** Made while nobody was there to hear of them. */
  #kept: number[] = [];
  /** Step2 has left: from here on each edit goes as it is made. */
  #isOpen = false;
  #isSynced = false;
  /** Closes by the other side, and connections that failed. */
  readonly drops: { readonly code: number; readonly reason: string; readonly atMs: number }[] = [];
  /** When it was synced again. */
  readonly syncs: number[] = [];
  refused = 0;
  denied = 0;
  acknowledged = 0;
  made = 0;

  constructor(options: LightClientOptions) {
    this.#options = options;
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this) this.#send(update);
    });
    this.#connect();
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get unacknowledged(): number {
    return this.#kept.length + this.#asked.reduce((sum, times) => sum + times.length, 0);
  }

  /** One character at the end: exactly one update, and one tick of its clock. */
  type(): void {
    const text = this.doc.getText('t');
    text.insert(text.length, String.fromCharCode(97 + (this.made % 26)));
  }

  /** One update that replaces what this client wrote before: the document stays as large as it is. */
  replace(content: string): void {
    this.doc.getMap('pages').set(String(this.doc.clientID), content);
  }

  /** What a person could see. */
  get content(): string {
    const pages = Object.entries(this.doc.getMap('pages').toJSON()).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([this.doc.getText('t').toJSON(), pages]);
  }

  /** How many clock ticks of another client it has. */
  has(clientId: number): number {
    return Y.getState(this.doc.store, clientId);
  }

  leave(): void {
    this.#left = true;
    this.#socket?.terminate();
    this.doc.destroy();
  }

  #connect(): void {
    const { urls } = this.#options;
    const socket = new WebSocket(`${urls[this.#turn++ % urls.length]}/collab`, { perMessageDeflate: false });
    this.#socket = socket;
    const { document, token } = this.#options;
    socket.on('open', () => {
      socket.send(collab.auth(document, token));
      socket.send(collab.step1(document, Y.encodeStateVector(this.doc)));
    });
    socket.on('message', (data: Buffer) => this.#hear(readCollab(new Uint8Array(data))));
    const renewing = setInterval(() => {
      if (this.#isOpen) socket.send(collab.awareness(document, { clientId: this.doc.clientID, clock: ++this.#renewals, state: {} }));
    }, renewMs);
    socket.on('close', () => clearInterval(renewing));
    // What matters of it is in the close that follows.
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => this.#dropped(code, reason.toString()));
  }

  #dropped(code: number, reason: string): void {
    if (this.#left) return;
    this.#isOpen = false;
    this.#isSynced = false;
    this.drops.push({ code, reason, atMs: performance.now() });
    this.#kept = [...this.#asked.flat(), ...this.#kept];
    this.#asked = [];
    setTimeout(() => {
      if (!this.#left) this.#connect();
    }, returnMs);
  }

  #hear(frame: ServerFrame): void {
    switch (frame.is) {
      case 'step1':
        // What the house lacks, or may lack: everything not acknowledged is in it. Asked later, by a house that lost its log, it is not answered (protocol.md).
        if (!this.#isOpen) {
          this.#asked.push(this.#kept);
          this.#kept = [];
          this.#isOpen = true;
        }
        this.#socket?.send(collab.step2(frame.address, Y.encodeStateAsUpdate(this.doc, frame.stateVector)));
        return;
      case 'step2':
        this.#apply(frame.update);
        this.#isSynced = true;
        this.syncs.push(performance.now());
        return;
      case 'update':
        return this.#apply(frame.update);
      case 'status':
        return this.#status(frame.taken === 1);
      case 'denied':
        this.denied += 1;
        return;
      default:
        return;
    }
  }

  #apply(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, this);
    this.#options.onNews?.();
  }

  #send(update: Uint8Array): void {
    this.made += 1;
    const nowMs = performance.now();
    if (!this.#isOpen) {
      this.#kept.push(nowMs);
      return;
    }
    this.#asked.push([nowMs]);
    this.#socket?.send(collab.update(this.#options.document, update));
  }

  #status(taken: boolean): void {
    const times = this.#asked.shift() ?? [];
    if (!taken) {
      this.refused += 1;
      return;
    }
    const atMs = performance.now();
    this.acknowledged += times.length;
    for (const sentAtMs of times) this.#options.onAcknowledged?.(sentAtMs, atMs);
  }
}
