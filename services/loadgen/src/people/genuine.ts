import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { weftWebSocket } from '@weft/client';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import type { Dialect } from '../result.ts';
import { TEXT } from '../wire/typed-update.ts';
import type { Room } from './room.ts';
import type { Transports } from './transport.ts';

/** A genuine provider with a genuine document, to check that what is counted is true. */
export class Genuine {
  readonly #doc = new Y.Doc();
  readonly #room: Room;
  readonly #end: () => void;

  constructor({ transports, dialect, token }: { transports: Transports; dialect: Dialect; token: string }, room: Room, target: number) {
    this.#room = room;
    const url = transports.url(target, room.document);
    if (dialect === 'yjs') {
      const base = `${url.protocol}//${url.host}${url.pathname.slice(0, url.pathname.lastIndexOf('/'))}`;
      const provider = new WebsocketProvider(base, encodeURIComponent(room.document), this.#doc, {
        WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
        disableBc: true,
        ...(token === '' ? {} : { params: { token } }),
      });
      this.#end = () => provider.destroy();
    } else {
      const polyfill = dialect === 'fallback' ? weftWebSocket({ WebSocket: null }) : WebSocket;
      const socket = new HocuspocusProviderWebsocket({ url: url.href, WebSocketPolyfill: polyfill });
      const provider = new HocuspocusProvider({ websocketProvider: socket, name: room.document, document: this.#doc, token });
      provider.attach();
      this.#end = () => {
        provider.destroy();
        socket.destroy();
      };
    }
  }

  /** Clock ticks of the room's writers that it does not have. */
  get lacking(): number {
    let ticks = 0;
    for (const [client, sent] of this.#room.sentByClient()) ticks += Math.max(0, sent - Y.getState(this.#doc.store, client));
    return ticks;
  }

  get text(): string {
    return this.#doc.getText(TEXT).toJSON();
  }

  leave(): void {
    this.#end();
    this.#doc.destroy();
  }
}
