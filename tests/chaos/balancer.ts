import type { Cluster } from '../harness/cluster.ts';
import type { ServiceProcess } from '../harness/service-process.ts';

const lookEveryMs = 200;
/** A gateway that takes longer to say that it is ready gets no new connections. */
const answerMsMax = 600;

/**
 * What stands before the gateways in production, at its simplest: asks each one's /readyz and sends a new connection to the next that is ready; to the next one at all when none is. So a client whose
 * gateway is gone comes back on another, as it must be able to (architecture.md, invariant 6).
 */
export class Balancer {
  readonly #gateways: readonly ServiceProcess[];
  readonly #ready: Set<ServiceProcess>;
  readonly #askedMs = new Map<ServiceProcess, number>();
  readonly #timer: NodeJS.Timeout;
  #turn = 0;

  constructor({ gateways }: Pick<Cluster, 'gateways'>) {
    this.#gateways = gateways;
    this.#ready = new Set(gateways);
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  /** The same URL, at a gateway that takes connections. */
  readonly route = (url: string): string => {
    const candidates = this.#ready.size > 0 ? this.#gateways.filter((gateway) => this.#ready.has(gateway)) : this.#gateways;
    const routed = new URL(url);
    routed.port = String(candidates[this.#turn++ % candidates.length]!.port);
    return routed.href;
  };

  /** Whose port this is. */
  gatewayAt(url: string): string {
    const { port } = new URL(url);
    return this.#gateways.find((gateway) => String(gateway.port) === port)?.id ?? `port ${port}`;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const gateway of this.#gateways) {
      const askedMs = this.#askedMs.get(gateway);
      if (askedMs === undefined) void this.#ask(gateway);
      else if (performance.now() - askedMs > answerMsMax) this.#ready.delete(gateway);
    }
  }

  async #ask(gateway: ServiceProcess): Promise<void> {
    this.#askedMs.set(gateway, performance.now());
    const { ok } = await gateway.readiness();
    this.#askedMs.delete(gateway);
    if (ok) this.#ready.add(gateway);
    else this.#ready.delete(gateway);
  }
}
