/** A load balancer that remembers nobody and asks nobody how they are: every request goes to the next gateway, whichever had the one before, and whether it is there or not. */
export class RoundRobin {
  /** By port. */
  readonly requests = new Map<number, number>();
  readonly #ports: readonly number[];
  #turn = 0;

  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  readonly fetch: typeof fetch = (input, init) => fetch(this.#next(String(input)), init);

  /** For a WebSocket. */
  readonly route = (url: string): string => this.#next(url).href;

  #next(given: string): URL {
    const port = this.#ports[this.#turn++ % this.#ports.length]!;
    this.requests.set(port, (this.requests.get(port) ?? 0) + 1);
    const url = new URL(given);
    url.port = String(port);
    return url;
  }
}
