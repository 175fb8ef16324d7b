import type { CloseCode } from '@weft/protocol';
import type { ClientSocket } from './client-socket.ts';
import type { GatewayDocument } from './document.ts';
import type { Member } from './member.ts';
import { Outbox } from './outbox.ts';

/** One client connection, whatever its dialect: its socket, its documents, and how well it keeps up. */
export class Connection {
  readonly id: number;
  readonly socket: ClientSocket;
  readonly outbox: Outbox;
  readonly members = new Map<Member, GatewayDocument>();
  /** Whom it acts for, by id; guests are nobody. */
  readonly users = new Set<string>();
  closed = false;
  /** Since when its socket has been over the high-water mark without draining; undefined while it keeps up. */
  slowSinceMs: number | undefined;

  readonly #codeOf: (close: CloseCode) => CloseCode;

  /** `codeOf`: where a dialect has another code for it. */
  constructor(id: number, socket: ClientSocket, highWaterBytes: number, codeOf: (close: CloseCode) => CloseCode = (close) => close) {
    this.id = id;
    this.#codeOf = codeOf;
    this.socket = socket;
    this.outbox = new Outbox(socket, highWaterBytes);
  }

  /** Called a few times a second: an answer that waits for room is slow from now on, unless the socket drains (`drained`). */
  watch(nowMs: number): void {
    if (this.outbox.isBusy) this.slowSinceMs ??= nowMs;
  }

  /** The socket has room again. */
  drained(): void {
    if (this.outbox.isFull) return;
    this.slowSinceMs = undefined;
    this.outbox.pump();
    for (const [member, document] of this.members) if (member.state === 'behind') document.catchUp(member);
  }

  /** `reason` says what was given and what is expected. */
  close(close: CloseCode, reason: string): void {
    if (this.closed) return;
    this.socket.close(this.#codeOf(close).code, reason);
  }
}

/** A frame a client should not have sent: the connection is closed with this code, and the message says what was given and what is expected. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
  readonly close: CloseCode;
  constructor(close: CloseCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.close = close;
  }
}
