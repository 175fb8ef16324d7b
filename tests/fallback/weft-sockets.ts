import { weftWebSocket, type WeftWebSocket, type WeftWebSocketOptions } from '@weft/client';
import type { Tally, UserSockets } from '../harness/counting-socket.ts';

/** For a `User`: @weft/client's class instead of the `ws` package's, watched in the same way. */
export function weftSockets(options: WeftWebSocketOptions, watch: (socket: WeftWebSocket) => void = () => undefined) {
  return (tally: Tally | undefined): UserSockets => {
    const network = new Network(options.fetch ?? fetch);
    let newest: WeftWebSocket | undefined;
    const made = (socket: WeftWebSocket): void => {
      newest = socket;
      tally?.opened();
      watch(socket);
    };
    class CountingWeftSocket extends weftWebSocket({ ...options, fetch: network.fetch }) {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        made(this);
        this.addEventListener('message', ({ data }) => {
          if (newest === this) tally?.received(new Uint8Array(data as ArrayBuffer));
        });
      }

      override send(data: Uint8Array<ArrayBuffer>): void {
        if (newest === this) tally?.sent(data);
        super.send(data);
      }
    }
    return { Polyfill: CountingWeftSocket, current: () => network };
  };
}

/** One user's, by the fallback. */
class Network {
  readonly fetch: typeof fetch;
  readonly #gone = new AbortController();

  constructor(through: typeof fetch) {
    this.fetch = (input, init) => through(input, { ...init, signal: AbortSignal.any([this.#gone.signal, init!.signal!]) });
  }

  /** Everything under way breaks off, and nothing goes through any more. */
  terminate(): void {
    this.#gone.abort();
  }

  pause(): never {
    throw new Error('a user by the fallback cannot stop hearing');
  }

  resume(): never {
    throw new Error('a user by the fallback cannot stop hearing');
  }
}
