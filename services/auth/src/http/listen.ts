import type { AddressInfo } from 'node:net';

import type { FastifyInstance } from 'fastify';

export interface HttpServer {
  readonly port: number;
  /** Takes no more requests; resolves once those under way are answered. */
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 1000;

/** The app on a port of its own; 0 lets the system choose. Rejects with one sentence when it cannot listen. */
export async function listen(app: FastifyInstance, { host, port }: { readonly host: string; readonly port: number }): Promise<HttpServer> {
  app.server.maxConnections = CONNECTIONS_MAX;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw new Error(`auth cannot listen on ${host}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}
