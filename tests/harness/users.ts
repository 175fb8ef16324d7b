import { HocuspocusProvider } from '@hocuspocus/provider';
import { HocuspocusProvider as HocuspocusProvider3 } from 'hocuspocus-provider-3';
import type { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { countingSockets, type SocketHooks, Tally, type UserSockets } from './counting-socket.ts';
import { until } from './until.ts';

export const userKinds = ['hocuspocus-4', 'hocuspocus-3', 'y-websocket'] as const;
export type UserKind = (typeof userKinds)[number];

export interface UserOptions {
  readonly kind: UserKind;
  readonly name: string;
  /** `ws://…` of a gateway. */
  readonly url: string;
  readonly document: string;
  readonly token: string;
  /** What stands in the way of its sockets, or sockets of another make. */
  readonly sockets?: SocketHooks | ((tally: Tally | undefined) => UserSockets);
}

/**
 * Somebody with a document open, through the genuine provider of one of the three kinds.
 * `isAcknowledged` is what a Hocuspocus provider calls saved, and stricter: its own counter forgets edits it queued while away (it is set to 1 when the socket
 * opens), so the answers on the wire are counted too.
 */
export class User {
  readonly name: string;
  readonly kind: UserKind;
  readonly doc = new Y.Doc();
  readonly awareness: Awareness;
  /** undefined in the dialect without acknowledgements. */
  readonly tally: Tally | undefined;
  readonly #provider: Provider;
  readonly #sockets: UserSockets;

  constructor({ kind, name, url, document, token, sockets }: UserOptions) {
    this.name = name;
    this.kind = kind;
    this.tally = kind === 'y-websocket' ? undefined : new Tally();
    this.#sockets = typeof sockets === 'function' ? sockets(this.tally) : countingSockets(this.tally, sockets);
    this.#provider = connect(kind, { url, document, token, doc: this.doc, Polyfill: this.#sockets.Polyfill });
    this.awareness = this.#provider.awareness;
    this.awareness.setLocalStateField('user', { name });
  }

  get isSynced(): boolean {
    return this.#provider.isSynced();
  }

  /** False for ever in the dialect without acknowledgements. */
  get isAcknowledged(): boolean {
    const { tally } = this;
    return tally !== undefined && this.isSynced && this.#provider.unsyncedChanges() === 0 && tally.asked > 0 && tally.taken === tally.asked;
  }

  /** Names of everybody this user sees here, itself too, in order. */
  get present(): string[] {
    return [...this.awareness.getStates().values()].map((state) => (state['user'] as { name: string }).name).toSorted();
  }

  untilSynced(withinMs?: number): Promise<void> {
    return until(
      `${this.name} is synced`,
      () => this.isSynced,
      (wake) => this.onNews(wake),
      withinMs,
    );
  }

  untilAcknowledged(withinMs?: number): Promise<void> {
    return until(
      () => `${this.name}'s edits are acknowledged (unsynced ${this.#provider.unsyncedChanges()}, ${JSON.stringify(this.tally)})`,
      () => this.isAcknowledged,
      (wake) => this.onNews(wake),
      withinMs,
    );
  }

  /** Tries to connect at once, as after `online`: by itself a provider waits up to 30 s (protocol.md). Nothing to one that is connected. */
  tryAgain(): void {
    if (!this.isSynced) this.#provider.tryAgain();
  }

  /** Takes nothing more from its socket, as a phone in a tunnel; until `hearAgain`. */
  stopHearing(): void {
    this.#sockets.current()?.pause();
  }

  hearAgain(): void {
    this.#sockets.current()?.resume();
  }

  /** The tab is gone without a word: no close frame, no removal of its presence. It does not come back. */
  crash(): void {
    const socket = this.#sockets.current();
    this.#provider.abandon();
    socket?.terminate();
    this.awareness.destroy();
  }

  /** Leaves as a closed tab does. */
  leave(): void {
    this.#provider.leave();
    this.awareness.destroy();
    this.doc.destroy();
  }

  /** Calls back with each acknowledgement, sync, drop and update; gives its own removal. */
  onNews(wake: () => void): () => void {
    const undo = this.#provider.onNews(wake);
    this.doc.on('update', wake);
    return () => {
      undo();
      this.doc.off('update', wake);
    };
  }
}

/** What the three providers have in common, in one shape. */
interface Provider {
  readonly awareness: Awareness;
  isSynced(): boolean;
  unsyncedChanges(): number;
  /** Calls back with each change of what the others here tell; gives its own removal. */
  onNews(wake: () => void): () => void;
  tryAgain(): void;
  leave(): void;
  /** Never again connects, and says nothing more. */
  abandon(): void;
}

interface ProviderOptions {
  readonly url: string;
  readonly document: string;
  readonly token: string;
  readonly doc: Y.Doc;
  readonly Polyfill: typeof globalThis.WebSocket;
}

function connect(kind: UserKind, options: ProviderOptions): Provider {
  switch (kind) {
    case 'hocuspocus-4':
      return hocuspocus(HocuspocusProvider, options);
    case 'hocuspocus-3':
      // The same interface; its types name classes of its own.
      return hocuspocus(HocuspocusProvider3 as unknown as typeof HocuspocusProvider, options);
    case 'y-websocket':
      return yWebsocket(options);
  }
}

function hocuspocus(Class: typeof HocuspocusProvider, { url, document, token, doc, Polyfill }: ProviderOptions): Provider {
  // The provider hands its whole configuration to the websocket it makes, which its types leave out.
  const configuration = { url: `${url}/collab`, name: document, document: doc, token, WebSocketPolyfill: Polyfill };
  const provider = new Class(configuration);
  const news = ['synced', 'unsyncedChanges', 'disconnect'];
  return {
    awareness: provider.awareness!,
    isSynced: () => provider.isSynced,
    unsyncedChanges: () => provider.unsyncedChanges,
    onNews: (wake) => {
      for (const event of news) provider.on(event, wake);
      return () => {
        for (const event of news) provider.off(event, wake);
      };
    },
    tryAgain: () => void provider.connect(),
    leave: () => provider.destroy(),
    abandon: () => {
      const { websocketProvider } = provider.configuration;
      websocketProvider.shouldConnect = false;
      clearInterval(websocketProvider.intervals.connectionChecker ?? undefined);
      websocketProvider.removeAllListeners();
      doc.destroy();
    },
  };
}

function yWebsocket({ url, document, token, doc, Polyfill }: ProviderOptions): Provider {
  // Without its BroadcastChannel, by which providers of one process would meet behind the server's back.
  const provider = new WebsocketProvider(`${url}/yjs`, document, doc, { WebSocketPolyfill: Polyfill, disableBc: true, params: { token } });
  // It would take its presence back when this process ends, which nobody is there to see; and Node warns of more than ten.
  process.off('exit', provider._exitHandler);
  return {
    awareness: provider.awareness,
    isSynced: () => provider.synced,
    unsyncedChanges: () => 0,
    onNews: (wake) => {
      provider.on('sync', wake);
      return () => provider.off('sync', wake);
    },
    // Its waits end at 2.5 s.
    tryAgain: () => undefined,
    leave: () => provider.destroy(),
    abandon: () => {
      provider.shouldConnect = false;
      provider.ws = null;
      doc.destroy();
    },
  };
}
