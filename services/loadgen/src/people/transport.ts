import { weftWebSocket } from '@weft/client';
import type { Dialect } from '../result.ts';
import { FrameSocket, type FrameSocketEvents } from '../wire/frame-socket.ts';

/** What carries a person's frames. */
export interface Transport {
  send(frame: Uint8Array): void;
  close(): void;
  readonly unsentBytes: number;
  /** On the wire, as far as it can be told. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface TransportOptions {
  readonly dialect: Dialect;
  /** `ws://…` or `http://…`, without a path. */
  readonly urls: readonly string[];
  /** Before the document (yjs), or all of it. */
  readonly path: string;
  readonly token: string;
}

/** Opens connections to the targets. */
export class Transports {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  get targets(): number {
    return this.#options.urls.length;
  }

  url(target: number, document: string): URL {
    const { dialect, urls, path, token } = this.#options;
    const url = new URL(urls[target]!);
    url.pathname = dialect === 'yjs' ? `${path}${encodeURIComponent(document)}` : path;
    if (dialect === 'yjs' && token !== '') url.searchParams.set('token', token);
    return url;
  }

  open(target: number, document: string, wholeBytesMax: number, events: FrameSocketEvents): Transport {
    const url = this.url(target, document);
    return this.#options.dialect === 'fallback' ? new FallbackTransport(url, events) : new FrameSocket(url, wholeBytesMax, events);
  }
}

const WithoutWebSocket = weftWebSocket({ WebSocket: null });

/** Push and server-sent events, as @weft/client speaks them. */
class FallbackTransport implements Transport {
  readonly #socket: InstanceType<typeof WithoutWebSocket>;
  bytesIn = 0;
  bytesOut = 0;

  constructor(url: URL, events: FrameSocketEvents) {
    this.#socket = new WithoutWebSocket(url);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('open', () => events.opened());
    this.#socket.addEventListener('message', ({ data }) => {
      const bytes = new Uint8Array(data as ArrayBuffer);
      this.bytesIn += bytes.byteLength;
      events.frame(bytes, bytes.byteLength);
    });
    this.#socket.addEventListener('close', ({ code, reason }) => events.closed(code, reason));
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Uint8Array): void {
    this.bytesOut += frame.byteLength;
    // Its own copy: a frame written here is valid until the next.
    this.#socket.send(Uint8Array.from(frame));
  }

  close(): void {
    this.#socket.close();
  }
}
