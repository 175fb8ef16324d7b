/** What carries frames: a WebSocket, or a session of push and server-sent events. Begins to connect when it is made, and calls back later, never at once. */
export interface Transport {
  /** Bytes given to `send` that are not on their way, or not answered for, yet. */
  readonly bufferedAmount: number;
  /** Only between `opened` and `close`. */
  send(frame: Uint8Array<ArrayBuffer>): void;
  /** Says goodbye; `ended` follows, within some seconds whatever the network does. */
  close(code: number | undefined, reason: string): void;
  /** Ends at once. Nothing is heard of it any more. */
  drop(): void;
  /** The page goes: what is still to be said is given to the browser, which may send it. */
  leave?(): void;
}

export interface TransportEvents {
  readonly opened: (about: { readonly protocol: string; readonly extensions: string }) => void;
  readonly message: (data: ArrayBuffer | string) => void;
  /** Once, and the last. */
  readonly ended: (end: End) => void;
}

export interface End {
  /** As a CloseEvent has it: 1006 where nobody said anything. */
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** An `error` event comes before the `close`. */
  readonly failed: boolean;
  /** A server that knows what it says refused: for good, or for now. Absent where there was no such answer. */
  readonly refused?: 'for-good' | 'for-now';
  /** How long it wants to be left alone. */
  readonly retryAfterMs?: number;
}

export type TransportKind = 'websocket' | 'fallback';

export function lost(reason = ''): End {
  return { code: 1006, reason, wasClean: false, failed: true };
}
