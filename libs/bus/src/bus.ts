/**
 * The Bus port: short messages between services, as core NATS carries them.
 *
 * Delivery contract (both sides pass `contract.test-suite.ts`):
 * - At most once. A message may be lost (a reconnect, a slow consumer); nobody retries. Who must not miss
 *   something numbers it and asks again (relays do, see architecture.md section 3).
 * - In order for one publisher and one subject, as far as they arrive. No order across subjects or publishers.
 * - `publish` never blocks and never throws for want of a connection: while disconnected, messages are dropped.
 *   It throws `BusMessageTooLarge` above `payloadBytesMax`, a bug of the caller.
 * - `publish`, `request` and `reply` copy `data`: the caller may reuse its buffer at once.
 * - A handler gets bytes it may keep: they are never reused. They may be a view of a larger chunk (as received from the socket, up to
 *   64 KiB), which keeping them keeps alive, and other handlers may be given the same bytes: nobody writes to them.
 * - Handlers are called synchronously, one message after the other, never from inside `publish`.
 * - A handler that throws is logged and harms no other subscription.
 * - Who publishes and subscribes to the same subject hears itself.
 * - Subjects are dot-separated tokens; subscriptions may use `*` (one token) and `>` (the rest, at least one token).
 */
export interface Bus {
  /** Largest `data` a message may carry, bytes. Asked of the server (NATS `max_payload`). */
  readonly payloadBytesMax: number;
  /** True: the server is there and has our subscriptions. */
  readonly connected: boolean;
  publish(subject: string, data: Uint8Array): void;
  /** `queue`: of all subscribers with the same queue name, one gets each message. */
  subscribe(subject: string, handler: (message: BusMessage) => void, options?: { queue?: string }): BusSubscription;
  /** Rejects with `BusTimeout`, `BusNoResponders` (nobody is subscribed, or we are disconnected: wait before asking again) or `BusClosed`. */
  request(subject: string, data: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array>;
  /** Called with every change of `connected`; returns its own removal. */
  onConnection(listener: (connected: boolean) => void): () => void;
  /** Resolves once everything published so far has reached the server, or was dropped. Never rejects. */
  flush(): Promise<void>;
  /** Ends subscriptions, lets published messages out, closes. Safe to call twice. */
  close(): Promise<void>;
}

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Present when the sender waits for an answer. */
  readonly reply?: ((data: Uint8Array) => void) | undefined;
}

export interface BusSubscription {
  unsubscribe(): void;
}

export class BusTimeout extends Error {
  override readonly name = 'BusTimeout';
}
export class BusNoResponders extends Error {
  override readonly name = 'BusNoResponders';
}
export class BusClosed extends Error {
  override readonly name = 'BusClosed';
}
export class BusMessageTooLarge extends Error {
  override readonly name = 'BusMessageTooLarge';
}
