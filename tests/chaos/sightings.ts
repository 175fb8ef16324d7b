import type { WebSocket } from 'ws';
import type { UserKind } from '../harness/users.ts';
import { judgeFrame } from './server-frames.ts';

/** Something other than editing that a client came to see. */
export interface Sighting {
  readonly atMs: number;
  readonly client: string;
  readonly gateway: string;
  /** `close 1006`, `unreachable`, `HTTP 503`, `denied`, `refused`, `document closed`, `unreadable`, or `leftByItself`: what expectations.ts speaks of. */
  readonly what: string;
  /** Before the socket was open, or after. */
  readonly phase: 'opening' | 'open';
  readonly detail: string;
}

/** The provider closed the socket, not we. */
export const leftByItself = 'left by itself';

/** RFC 6455: a close frame without a code; no close frame at all. */
const noStatus = 1005;
const abnormal = 1006;

const httpRefusal = /Unexpected server response: (\d+)/;

/** Keeps what all clients saw. Their own leaving is not seen: `forget` them first. */
export class Sightings {
  readonly #seen: Sighting[] = [];
  readonly #forgotten = new Set<string>();

  get all(): readonly Sighting[] {
    return this.#seen;
  }

  forget(client: string): void {
    this.#forgotten.add(client);
  }

  watch(socket: WebSocket, who: { readonly client: string; readonly kind: UserKind; readonly gateway: string }): void {
    let phase: Sighting['phase'] = 'opening';
    let failure = '';
    let left = false;
    const close = socket.close.bind(socket);
    socket.close = (code, reason) => {
      left ||= socket.readyState === socket.CONNECTING || socket.readyState === socket.OPEN;
      close(code, reason);
    };
    const see = (what: string, detail: string): void => {
      if (!this.#forgotten.has(who.client))
        this.#seen.push({ atMs: performance.now(), client: who.client, gateway: who.gateway, what, phase, detail });
    };
    socket.on('open', () => (phase = 'open'));
    socket.on('error', (error: Error) => (failure = error.message));
    socket.on('message', (data: ArrayBuffer | Buffer) => {
      const verdict = judgeFrame(who.kind, new Uint8Array(data));
      if (verdict.kind !== 'fine') see(verdict.kind, verdict.says);
    });
    socket.on('close', (code: number, reason: Buffer) => {
      const status = httpRefusal.exec(failure)?.[1];
      // A close frame from the gateway is answered by the library through `close` as well; its code then is the gateway's.
      if (left && (code === noStatus || code === abnormal)) see(leftByItself, `${code} ${failure}`);
      else if (status !== undefined) see(`HTTP ${status}`, failure);
      else if (phase === 'opening') see('unreachable', failure);
      else see(`close ${code}`, reason.toString() || failure);
    });
  }
}
