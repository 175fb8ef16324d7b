import { HocuspocusProvider as ProviderV4, HocuspocusProviderWebsocket as SocketV4 } from '@hocuspocus/provider';
import { HocuspocusProvider as ProviderV3, HocuspocusProviderWebsocket as SocketV3 } from '@hocuspocus/provider-3';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

/** Stands where a provider expects a WebSocket: keeps what it sends, hands it what a server would send. */
export class CapturingSocket extends EventTarget {
  static last: CapturingSocket | undefined;
  readonly sent: Uint8Array[] = [];
  readonly OPEN = 1;
  readyState = 0;
  binaryType = 'arraybuffer';
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor() {
    super();
    CapturingSocket.last = this;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(Uint8Array.from(bytes));
  }

  open(): void {
    this.readyState = 1;
    this.deliver('open', new Event('open'));
  }

  receive(frame: Uint8Array): void {
    this.deliver('message', new MessageEvent('message', { data: Uint8Array.from(frame).buffer }));
  }

  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.deliver('close', Object.assign(new Event('close'), { code: 1000, reason: '' }));
  }

  private deliver(type: 'open' | 'message' | 'close', event: Event): void {
    this[`on${type}`]?.(event as MessageEvent);
    this.dispatchEvent(event);
  }
}

const VERSIONS = {
  '3.4.4': { Provider: ProviderV3, Socket: SocketV3 },
  '4.8.0': { Provider: ProviderV4, Socket: SocketV4 },
} as const;
export type ProviderVersion = keyof typeof VERSIONS;
export const providerVersions = Object.keys(VERSIONS) as ProviderVersion[];

/** A genuine Hocuspocus provider on a captured socket, opened, its first frames sent. */
export async function openHocuspocus(version: ProviderVersion, options: Record<string, unknown> = {}) {
  const doc = new Y.Doc();
  doc.clientID = 77;
  // The two versions' types differ in what these tests do not use.
  const { Provider, Socket } = VERSIONS[version] as unknown as { Provider: typeof ProviderV4; Socket: typeof SocketV4 };
  CapturingSocket.last = undefined;
  const websocketProvider = new Socket({ url: 'ws://weft.test', WebSocketPolyfill: CapturingSocket, autoConnect: false });
  const provider = new Provider({ name: 'weft/документ', document: doc, token: 'the token', websocketProvider, ...options });
  provider.attach();
  void websocketProvider.connect();
  const socket = await until(() => CapturingSocket.last);
  socket.open();
  // A version is connected on the first frame it hears; the frames of the opening go out without waiting for it or with it.
  await until(() => (socket.sent.length >= 2 ? true : undefined));
  const close = () => {
    provider.destroy();
    websocketProvider.destroy();
    doc.destroy();
  };
  return { doc, provider, socket, close };
}

/** A genuine y-websocket provider on a captured socket, opened. */
export async function openYWebsocket() {
  const doc = new Y.Doc();
  doc.clientID = 78;
  CapturingSocket.last = undefined;
  const provider = new WebsocketProvider('ws://weft.test/yjs', 'a/b', doc, {
    WebSocketPolyfill: CapturingSocket as never,
    disableBc: true,
  });
  const socket = await until(() => CapturingSocket.last);
  socket.open();
  const close = () => {
    provider.destroy();
    doc.destroy();
  };
  return { doc, provider, socket, close };
}

/** Waits, a turn of the event loop at a time, for what a provider does after its own promises. */
export async function until<T>(read: () => T | undefined): Promise<T> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const value = read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the provider did not do what was waited for');
}
const TURNS_MAX = 100_000;
