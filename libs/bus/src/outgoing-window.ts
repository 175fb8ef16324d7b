/** Bytes published that the server has not confirmed to have received. Beyond it messages are dropped. */
const unconfirmedBytesMax = 64 * 1024 * 1024;
/** After this many bytes the server is asked whether it has them (a PING in the stream). */
const confirmEveryBytes = 1024 * 1024;

/**
 * Bounds what waits in the socket of a server that does not read (or is away and nobody knows yet). The NATS library buffers without one.
 */
export class OutgoingWindow {
  readonly #confirm: () => Promise<void>;
  #unconfirmed = 0;
  #sinceAsked = 0;

  /** @param confirm resolves once what was sent so far has arrived; rejects when the connection is lost, and with it all that was on its way. */
  constructor(confirm: () => Promise<void>) {
    this.#confirm = confirm;
  }

  /** May `bytes` be sent? Counts them if so. */
  take(bytes: number): boolean {
    if (this.#unconfirmed + bytes > unconfirmedBytesMax) return false;
    this.#unconfirmed += bytes;
    this.#sinceAsked += bytes;
    return true;
  }

  /** Call after sending. */
  sent(): void {
    if (this.#sinceAsked < confirmEveryBytes) return;
    const asked = this.#sinceAsked;
    this.#sinceAsked = 0;
    const settle = (): void => {
      this.#unconfirmed -= asked;
    };
    // Lost with the connection: no longer buffered either.
    this.#confirm().then(settle, settle);
  }
}
