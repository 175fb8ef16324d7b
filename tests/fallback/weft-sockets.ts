import { weftWebSocket, type WeftWebSocket, type WeftWebSocketOptions } from '@weft/client';
import type { Tally, UserSockets } from '../harness/counting-socket.ts';

/** For a `User`: @weft/client's class instead of the `ws` package's, watched in the same way. */
export function weftSockets(options: WeftWebSocketOptions, watch: (socket: WeftWebSocket) => void = () => undefined) {
  return (tally: Tally | undefined): UserSockets => {
    let newest: WeftWebSocket | undefined;
    const made = (socket: WeftWebSocket): void => {
      newest = socket;
      tally?.opened();
      watch(socket);
    };
    class CountingWeftSocket extends weftWebSocket(options) {
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
    return { Polyfill: CountingWeftSocket, current: () => undefined };
  };
}
