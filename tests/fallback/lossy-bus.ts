import type { Bus, BusMessage, BusSubscription } from '@weft/bus';

/** An end of the bus that loses what it is told to, as core NATS may. */
export class LossyBus implements Bus {
  readonly #inner: Bus;
  /** Of what is published through here. */
  loses: (subject: string, data: Uint8Array) => boolean = () => false;

  constructor(inner: Bus) {
    this.#inner = inner;
  }

  get payloadBytesMax(): number {
    return this.#inner.payloadBytesMax;
  }

  get connected(): boolean {
    return this.#inner.connected;
  }

  publish(subject: string, data: Uint8Array): void {
    if (!this.loses(subject, data)) this.#inner.publish(subject, data);
  }

  subscribe(subject: string, handler: (message: BusMessage) => void, options?: { queue?: string }): BusSubscription {
    return this.#inner.subscribe(subject, handler, options);
  }

  request(subject: string, data: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array> {
    return this.#inner.request(subject, data, options);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.#inner.onConnection(listener);
  }

  flush(): Promise<void> {
    return this.#inner.flush();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
