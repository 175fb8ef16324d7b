import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** As libs/store says it at the begin of each transaction, and the opposite in as many bytes: the message keeps its length. */
const said = Buffer.from('SET LOCAL synchronous_commit = on');
const instead = Buffer.from('SET LOCAL synchronous_commit =off');

/**
 * Stands before Postgres and takes back what the store says in its own transactions whatever the server's default is. A control needs commits that are answered
 * before they are on disk, and no setting of the server can force them on a client that asks for the opposite.
 */
export class CommitProxy {
  /** Transactions it weakened. */
  weakened = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer();
  }

  /** Gives its own URL to the same database. */
  static async before(databaseUrl: string): Promise<{ readonly proxy: CommitProxy; readonly url: string }> {
    const proxy = new CommitProxy();
    const url = new URL(databaseUrl);
    const { hostname, port } = url;
    proxy.#server.on('connection', (client: Socket) => proxy.#join(client, connect(Number(port), hostname)));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    url.port = String((proxy.#server.address() as AddressInfo).port);
    return { proxy, url: url.href };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, postgres: Socket): void {
    client.on('data', (chunk) => postgres.write(this.#weaken(chunk)));
    postgres.on('data', (chunk) => client.write(chunk));
    for (const [one, other] of [
      [client, postgres],
      [postgres, client],
    ] as const) {
      this.#sockets.add(one);
      // Whatever its reason: the other side learns of it by its own end.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }

  /** The statement comes alone on a connection that waits for its answer: in one chunk. Were it torn, one transaction would stay strong, and `weakened` would not count it. */
  #weaken(chunk: Buffer): Buffer {
    const at = chunk.indexOf(said);
    if (at < 0) return chunk;
    this.weakened += 1;
    const weak = Buffer.from(chunk);
    instead.copy(weak, at);
    return weak;
  }
}
