import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

const turnMs = 250;

/**
 * A line that carries only so many bytes a second from the server to the client, while it is narrow. It reads so slowly itself, so the server's kernel and then the server feel it, as
 * with a phone far from everything.
 */
export class ThrottledLine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: { readonly host: string; readonly port: number };
  readonly #bytesPerSecond: number;
  #isFree = true;
  #wake = new Set<() => void>();
  carriedBytes = 0;

  private constructor(server: Server, target: { host: string; port: number }, bytesPerSecond: number) {
    this.#server = server;
    this.#target = target;
    this.#bytesPerSecond = bytesPerSecond;
    server.on('connection', (client) => this.#carry(client));
  }

  /** `url`: `ws://host:port` of the server. */
  static async to(url: string, bytesPerSecond: number): Promise<ThrottledLine> {
    const { hostname, port } = new URL(url);
    const server = createServer({ pauseOnConnect: true });
    const line = new ThrottledLine(server, { host: hostname, port: Number(port) }, bytesPerSecond);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return line;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the line is closed');
    return `ws://127.0.0.1:${address.port}`;
  }

  /** From here on only so many bytes a second. */
  narrow(): void {
    this.#isFree = false;
  }

  /** From here on as fast as it goes, as in the beginning. */
  free(): void {
    this.#isFree = true;
    for (const wake of this.#wake) wake();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(client: Socket): void {
    const bytesMax = Math.max(1, Math.floor((this.#bytesPerSecond * turnMs) / 1000));
    const server = connect({
      ...this.#target,
      noDelay: true,
      // Read into a buffer of one turn's bytes: what is not read stays in the kernel.
      onread: {
        buffer: Buffer.alloc(bytesMax),
        callback: (count, buffer) => {
          this.carriedBytes += count;
          client.write(Uint8Array.from(buffer.subarray(0, count)));
          if (this.#isFree) return true;
          const next = (): void => {
            clearTimeout(timer);
            this.#wake.delete(next);
            server.resume();
          };
          const timer = setTimeout(next, turnMs);
          this.#wake.add(next);
          return false;
        },
      },
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
  }
}
