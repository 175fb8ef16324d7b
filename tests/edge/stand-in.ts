import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly url: string;
  /** As they came, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Somebody behind nginx who writes down what is passed on, where what counts is what nginx does. */
export class StandIn {
  readonly seen: Seen[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<StandIn> {
    const server = createServer((request, response) => {
      standIn.#note(request);
      answer(request, response);
    });
    const standIn = new StandIn(server);
    server.on('upgrade', (request, socket) => {
      standIn.#note(request);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return standIn;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get last(): Seen {
    const last = this.seen.at(-1);
    if (last === undefined) throw new Error('nothing was passed on');
    return last;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #note({ method = '', url = '', rawHeaders }: IncomingMessage): void {
    const headers = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] ?? ''] as const] : []));
    this.seen.push({ method, url, headers });
  }
}
