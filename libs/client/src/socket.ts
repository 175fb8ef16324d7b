import { type End, type Transport, type TransportEvents } from './transport.ts';

/** A real WebSocket as a transport. */
export class Socket implements Transport {
  readonly #socket: WebSocket;
  #failed = false;
  #isDropped = false;

  constructor(Class: typeof WebSocket, url: string, protocols: string | string[], events: TransportEvents) {
    const socket = new Class(url, protocols);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    const heard =
      <E>(handle: (event: E) => void) =>
      (event: E): void => {
        if (!this.#isDropped) handle(event);
      };
    const { opened, message, ended } = events;
    socket.addEventListener(
      'open',
      heard(() => opened(socket)),
    );
    socket.addEventListener(
      'message',
      heard(({ data }: MessageEvent<ArrayBuffer | string>) => message(data)),
    );
    // Also one without a listener, where an error nobody listens to ends the process.
    socket.addEventListener('error', () => (this.#failed = true));
    socket.addEventListener(
      'close',
      heard(({ code, reason, wasClean }: CloseEvent) => ended({ code, reason, wasClean, failed: this.#failed } satisfies End)),
    );
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame);
  }

  close(code: number | undefined, reason: string): void {
    if (code === undefined) this.#socket.close();
    else this.#socket.close(code, reason);
  }

  drop(): void {
    this.#isDropped = true;
    this.#socket.close();
  }
}
