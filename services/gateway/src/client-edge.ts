import type { Publish } from './client-socket.ts';
import type { GatewayCore } from './gateway-core.ts';

/** Where clients come in: turns what connects into connections of the core. */
export interface ClientEdge {
  readonly publish: Publish;
  /** Gives the port. Rejects with one sentence. `core` comes late: it needs `publish`. */
  listen(core: GatewayCore): Promise<number>;
  stopAccepting(): void;
  /** Called once a second, with a number that counts them. */
  everySecond?(second: number): void;
}
