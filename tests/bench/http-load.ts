import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  /** Target of the nth request. */
  readonly target: (n: number) => string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second, evenly spaced whether answers come or not; undefined: each connection asks again as soon as it is answered. */
  readonly perSecond?: number;
  readonly expected: number;
}

export interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** GET requests over connections that are kept open, one under way on each. Latency counts from when a request was due. Rejects at the first status that is not expected. */
export async function loadHttp(load: Load): Promise<Figures> {
  const clients = await Promise.all(Array.from({ length: load.connections }, () => Client.connect(load.port, load.expected)));
  const latencies: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + load.seconds * 1000;
  let next = 0;
  const dueMs = (n: number): number => (load.perSecond === undefined ? performance.now() : startMs + (n * 1000) / load.perSecond);
  const work = async (client: Client): Promise<void> => {
    for (;;) {
      const n = next++;
      const due = dueMs(n);
      if (due >= endMs) return;
      const waitMs = due - performance.now();
      if (waitMs > 0.5) await new Promise((resolve) => setTimeout(resolve, waitMs));
      await client.get(load.target(n));
      latencies.push(performance.now() - due);
    }
  };
  await Promise.all(clients.map(work));
  const tookS = (performance.now() - startMs) / 1000;
  for (const client of clients) client.end();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return { perSecond: latencies.length / tookS, p50Ms: at(0.5), p99Ms: at(0.99) };
}

class Client {
  readonly #socket: Socket;
  readonly #expected: string;
  #heard = '';
  #answered: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, expected: number) {
    this.#socket = socket;
    this.#expected = `HTTP/1.1 ${expected} `;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk.toString('latin1')));
    socket.on('close', () => this.#answered?.reject(new Error('the connection was closed')));
  }

  static connect(port: number, expected: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Client(socket, expected)));
      socket.once('error', reject);
    });
  }

  get(target: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = { resolve, reject };
      this.#socket.write(`GET ${target} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    });
  }

  end(): void {
    this.#answered = undefined;
    this.#socket.destroy();
  }

  /** Answers are small: the head says how long the body is. */
  #take(text: string): void {
    this.#heard += text;
    const end = this.#heard.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/^content-length: *(\d+)/im.exec(this.#heard.slice(0, end))?.[1] ?? 0);
    if (this.#heard.length < end + 4 + length) return;
    const answer = this.#heard;
    this.#heard = '';
    if (answer.startsWith(this.#expected)) this.#answered?.resolve();
    else this.#answered?.reject(new Error(`expected ${this.#expected.trim()}, heard ${answer.slice(0, 120)}`));
  }
}
