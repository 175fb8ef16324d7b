import type { WebSocket } from '@rjweb/uws';
import type { ClientSocket, Publish } from '../client-socket.ts';

const everyoneTopic = 'everyone';
/** What RFC 6455 leaves for a close reason, bytes. */
const reasonBytesMax = 123;

/** A uWebSockets.js connection as the core sees it. uWS throws when a closed socket is touched: every call is guarded. */
export class UwsSocket<UserData> implements ClientSocket {
  readonly #ws: WebSocket<UserData>;
  readonly abused: () => void;
  readonly #publishElsewhere: Publish;
  #closed = false;

  /** `abused`: who keeps account of where it comes from. `publishElsewhere`: to subscribers that are no sockets of uWebSockets.js. */
  constructor(ws: WebSocket<UserData>, abused: () => void = () => {}, publishElsewhere: Publish = () => {}) {
    this.#ws = ws;
    this.#publishElsewhere = publishElsewhere;
    this.abused = abused;
    // uWS sends a large frame on a way of its own to sockets without any subscription, and that way corrupts what the kernel does not take at once
    // (docs/decisions/0007; uws-socket.test.ts). Nobody publishes here.
    ws.subscribe(everyoneTopic);
  }

  /** uWS says that the connection is gone: from here on nothing may touch it. */
  wasClosed(): void {
    this.#closed = true;
  }

  send(frame: Uint8Array): void {
    if (!this.#closed) this.#ws.send(frame, true, false);
  }

  bufferedBytes(): number {
    return this.#closed ? 0 : this.#ws.getBufferedAmount();
  }

  subscribe(topic: string): void {
    if (!this.#closed) this.#ws.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (!this.#closed) this.#ws.unsubscribe(topic);
  }

  publishToOthers(topic: string, frame: Uint8Array): void {
    if (this.#closed) return;
    this.#ws.publish(topic, frame, true, false);
    this.#publishElsewhere(topic, frame);
  }

  cork(sends: () => void): void {
    if (this.#closed) return;
    this.#ws.cork(sends);
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    // `end` runs the close handler before it returns.
    this.#ws.end(code, shortened(reason));
  }
}

function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.byteLength <= reasonBytesMax) return reason;
  // Cutting inside a character would leave a replacement character longer than what was cut.
  return (
    bytes
      .subarray(0, reasonBytesMax - 3)
      .toString()
      .replace(/\uFFFD+$/u, '') + '…'
  );
}
