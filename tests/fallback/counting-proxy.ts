import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A wire to a gateway that counts what goes over it: TCP payload, so HTTP's heads and WebSocket's are in it, IP's are not. */
export class CountingProxy {
  upBytes = 0;
  downBytes = 0;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<CountingProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new CountingProxy(server);
    server.on('connection', (client) => proxy.#join(client, connect({ port, host: '127.0.0.1', noDelay: true })));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, gateway: Socket): void {
    this.connections += 1;
    client.on('data', ({ byteLength }) => (this.upBytes += byteLength)).pipe(gateway);
    gateway.on('data', ({ byteLength }) => (this.downBytes += byteLength)).pipe(client);
    for (const socket of [client, gateway]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        gateway.destroy();
      });
    }
  }
}
