/** A WebSocket for Weft that works where WebSockets do not: README.md, SPEC.md. */
import { OriginMemory } from './origin-memory.ts';
import type { TransportKind } from './transport.ts';
import { FallingBackWebSocket } from './weft-web-socket.ts';
import type { World } from './world.ts';

export interface WeftWebSocketOptions {
  /** The class behind it: `ws.WebSocket` in Node 20, which has none of its own. `null`: push and server-sent events alone. Default: the global one, where there is one. */
  readonly WebSocket?: unknown;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Of the fallback's requests. `include` sends the access cookie to another origin, too, as a WebSocket does; that server must list the page's (`WEFT_ORIGINS`). Default: `same-origin`. */
  readonly credentials?: RequestCredentials;
}

export interface WeftWebSocket extends WebSocket {
  /** What carries it; undefined until it is open. */
  readonly transport: TransportKind | undefined;
}

/** For every provider's `WebSocketPolyfill`. */
export interface WeftWebSocketClass {
  new (url: string | URL, protocols?: string | string[]): WeftWebSocket;
  readonly prototype: WeftWebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}

export type { TransportKind };

const memory = new OriginMemory(() => globalThis.localStorage);

/** A class of its own for what is not the default. What it finds out of an origin, it shares with all others. */
export function weftWebSocket(options: WeftWebSocketOptions = {}): WeftWebSocketClass {
  const given = options.WebSocket === undefined ? globalThis.WebSocket : options.WebSocket;
  const world: World = {
    WebSocket: (given ?? undefined) as typeof WebSocket | undefined,
    fetch: (...args) => (options.fetch ?? globalThis.fetch)(...args),
    credentials: options.credentials ?? 'same-origin',
    memory,
    nowMs: Date.now,
    random: Math.random,
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  return class WeftWebSocket extends FallingBackWebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(world, url, protocols);
    }
  };
}

export const WeftWebSocket: WeftWebSocketClass = weftWebSocket();
