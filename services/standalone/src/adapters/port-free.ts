import { createServer } from 'node:net';

/** The message is the one line a person needs. */
export class PortUnusable extends Error {
  override readonly name = 'PortUnusable';
}

/**
 * Rejects with PortUnusable if nobody could listen there. Asked before anything is started: it is the most common mistake, and uWS may share a port
 * with another process of ours (SO_REUSEPORT) without a word.
 */
export function assertPortFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => reject(new PortUnusable(reasonOf(error, host, port), { cause: error })));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function reasonOf(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} is in use already: stop what listens there, or choose another with WEFT_PORT`;
    case 'EACCES':
      return `port ${port} is not allowed for this user: choose one above 1023 with WEFT_PORT`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `this machine has no address ${host}: set WEFT_HOST to one it has`;
    default:
      return `cannot listen on ${host}:${port}: ${error.message}`;
  }
}
