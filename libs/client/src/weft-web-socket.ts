import { Connection } from './connection.ts';
import { fallbackTarget } from './fallback-target.ts';
import type { End, TransportKind } from './transport.ts';
import { checkClose, checkProtocols, CloseEvent, frameOf, webSocketUrl } from './web-socket-shape.ts';
import type { World } from './world.ts';

const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
type Handler<E extends Event> = ((this: WebSocket, event: E) => unknown) | null;

/** A WebSocket to its users. What carries it, a `Connection` finds out. */
export class FallingBackWebSocket extends EventTarget implements WebSocket {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;
  declare onopen: Handler<Event>;
  declare onmessage: Handler<MessageEvent>;
  declare onerror: Handler<Event>;
  declare onclose: Handler<globalThis.CloseEvent>;
  readonly url: string;
  declare addEventListener: WebSocket['addEventListener'];
  declare removeEventListener: WebSocket['removeEventListener'];

  static {
    // All that is the same four times.
    for (const of of [this, this.prototype]) Object.assign(of, states);
    for (const type of ['open', 'message', 'error', 'close'])
      Object.defineProperty(this.prototype, `on${type}`, {
        configurable: true,
        enumerable: true,
        get(this: FallingBackWebSocket) {
          return this.#handlers.get(type)?.current ?? null;
        },
        set(this: FallingBackWebSocket, handler: unknown) {
          this.#setHandler(type, handler);
        },
      });
  }

  readonly #connection: Connection;
  readonly #handlers = new Map<string, { current: Handler<Event> }>();
  #readyState: 0 | 1 | 2 | 3 = states.CONNECTING;
  #binaryType: BinaryType = 'blob';
  #protocol = '';
  #extensions = '';
  /** Given to `send` too late: counted, as browsers do, and gone. */
  #discardedBytes = 0;

  constructor(world: World, givenUrl: string | URL, protocols: string | string[] = []) {
    super();
    const url = webSocketUrl(givenUrl);
    checkProtocols(protocols);
    this.url = url.href;
    const destination = { url: url.href, protocols, fallback: fallbackTarget(url), origin: url.origin };
    this.#connection = new Connection(world, destination, {
      opened: ({ protocol, extensions }) => {
        if (this.#readyState !== states.CONNECTING) return;
        this.#readyState = states.OPEN;
        this.#protocol = protocol;
        this.#extensions = extensions;
        globalThis.addEventListener?.('pagehide', this.#pageHides);
        this.dispatchEvent(new Event('open'));
      },
      message: (data) => {
        // As in a browser: after `close` nothing more is heard.
        if (this.#readyState === states.OPEN)
          this.dispatchEvent(new MessageEvent('message', { data: this.#asWanted(data), origin: url.origin }));
      },
      ended: (end) => this.#ended(end),
    });
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState;
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount + this.#discardedBytes;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return this.#extensions;
  }

  /** What carries it; undefined until it is open. Not of a WebSocket. */
  get transport(): TransportKind | undefined {
    return this.#connection.kind;
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    // Browsers ignore anything else.
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  send(data: unknown): void {
    if (this.#readyState === states.CONNECTING) throw new DOMException('send was called before the socket was open', 'InvalidStateError');
    const frame = frameOf(data);
    if (this.#readyState === states.OPEN) this.#connection.send(frame);
    else this.#discardedBytes += frame.byteLength;
  }

  close(code?: number, reason = ''): void {
    checkClose(code, reason);
    if (this.#readyState >= states.CLOSING) return;
    this.#readyState = states.CLOSING;
    this.#connection.close(code, reason);
  }

  /** Called in the place among the listeners where the first one was set, as in a browser. */
  #setHandler(type: string, given: unknown): void {
    const known = this.#handlers.get(type);
    const current = typeof given === 'function' ? (given as Handler<Event>) : null;
    if (known) known.current = current;
    else {
      const slot = { current };
      this.#handlers.set(type, slot);
      super.addEventListener(type, (event) => slot.current?.call(this, event));
    }
  }

  #asWanted(data: ArrayBuffer | string): ArrayBuffer | Blob | string {
    return typeof data === 'string' || this.#binaryType === 'arraybuffer' ? data : new Blob([data]);
  }

  #pageHides = (event: Event): void => {
    // A page that is kept (bfcache) may come back, and then goes on.
    if ((event as PageTransitionEvent).persisted) return;
    this.#readyState = states.CLOSED;
    this.#connection.leave();
  };

  #ended({ code, reason, wasClean, failed }: End): void {
    if (this.#readyState === states.CLOSED) return;
    this.#readyState = states.CLOSED;
    globalThis.removeEventListener?.('pagehide', this.#pageHides);
    if (failed) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }));
  }
}
