import * as decoding from 'lib0/decoding';
import { WebSocket } from 'ws';

/** Frame types of the Hocuspocus dialect, protocol.md. */
const sync = 0;
const syncStatus = 8;
const step1 = 0;
const step2 = 1;

/**
 * What went over a user's sockets that the server has to answer, and its answers: exactly one SyncStatus for every Update and every Step2 (protocol.md). The providers' own
 * counter cannot show a surplus, since it stops at 0; this can.
 */
export class Tally {
  /** Updates and Step2s sent on the present socket. */
  asked = 0;
  /** SyncStatus frames that came on the present socket. */
  taken = 0;
  refused = 0;
  /** More answers than questions were seen at some moment. */
  surplus = 0;
  sockets = 0;
  /** Step1s sent whose answer is to come: that begins with a Step1 of the server. */
  #opening = 0;
  /** Whether the Step2s that answer the server's Step1s are counted. Those it sends by itself, after its log was replaced, are not (protocol.md). */
  #counted: boolean[] = [];

  get answered(): number {
    return this.taken + this.refused;
  }

  opened(): void {
    this.sockets += 1;
    this.asked = this.taken = this.refused = this.#opening = 0;
    this.#counted = [];
  }

  sent(frame: Uint8Array): void {
    // Ping and Pong are one raw byte without an address.
    if (frame.byteLength < 2) return;
    const decoder = decoding.createDecoder(frame);
    decoding.readVarString(decoder);
    if (decoding.readVarUint(decoder) !== sync) return;
    const kind = decoding.readVarUint(decoder);
    if (kind === step1) this.#opening += 1;
    else if (kind !== step2 || (this.#counted.shift() ?? true)) this.asked += 1;
  }

  received(frame: Uint8Array): void {
    if (frame.byteLength < 2) return;
    const decoder = decoding.createDecoder(frame);
    decoding.readVarUint8Array(decoder);
    const type = decoding.readVarUint(decoder);
    if (type === sync && decoding.readVarUint(decoder) === step1) this.#counted.push(this.#opening-- > 0);
    if (type !== syncStatus) return;
    if (decoding.readVarUint(decoder) === 1) this.taken += 1;
    else this.refused += 1;
    if (this.answered > this.asked) this.surplus += 1;
  }
}

export interface UserSockets {
  /** For a provider's `WebSocketPolyfill`. */
  readonly Polyfill: typeof globalThis.WebSocket;
  /** The newest socket. */
  current(): Pick<WebSocket, 'pause' | 'resume' | 'terminate'> | undefined;
}

/** For a test that stands in the way of a user's connections, or looks on. */
export interface SocketHooks {
  /** Where this connection goes instead of `url`, as a load balancer would choose. */
  readonly route?: (url: string) => string;
  /** Each new socket, before anything came of it. */
  readonly watch?: (socket: WebSocket, url: string) => void;
  /** The certificate authority to believe, PEM: for an edge with a certificate of a test. */
  readonly ca?: string;
}

/** The `ws` package's WebSocket, watched; `tally` only for the Hocuspocus dialect. */
export function countingSockets(tally: Tally | undefined, { route, watch, ca }: SocketHooks = {}): UserSockets {
  let newest: WebSocket | undefined;
  const opened = (socket: WebSocket, url: string): void => {
    newest = socket;
    tally?.opened();
    watch?.(socket, url);
  };
  class CountingSocket extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      const target = route?.(String(url)) ?? String(url);
      super(target, protocols, ca === undefined ? {} : { ca });
      opened(this, target);
      // Without a listener a refused connection would be an uncaught exception; providers listen only to what they need.
      this.on('error', () => undefined);
      if (!tally) return;
      this.on('message', (data: ArrayBuffer | Buffer) => {
        if (newest === this) tally.received(new Uint8Array(data));
      });
    }

    override send(...args: unknown[]): void {
      const [data] = args;
      if (tally && newest === this && data instanceof Uint8Array) tally.sent(data);
      (super.send as (...all: unknown[]) => void)(...args);
    }
  }
  return { Polyfill: CountingSocket as unknown as typeof globalThis.WebSocket, current: () => newest };
}
