import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { readCollab, readY, type ServerFrame, type ServerFrameOf } from './frames.ts';
import { until } from './until.ts';

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export type Headers = Readonly<Record<string, string>>;

/** The upgrade was answered with an HTTP status instead. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;
  readonly sentence: string;
  /** Seconds, as the header says; undefined without it. */
  readonly retryAfter: string | undefined;
  constructor(status: number, body: string, retryAfter?: string) {
    super(`${status} ${body}`);
    this.retryAfter = retryAfter;
    this.status = status;
    this.sentence = body.startsWith('{') ? (JSON.parse(body) as { error: { message: string } }).error.message : body;
  }
}

/** A socket that sends exactly what it is told to, and keeps what it hears. */
export class RawClient {
  readonly #socket: WebSocket;
  readonly frames: ServerFrame[] = [];
  closed: Closed | undefined;
  readonly errors: Error[] = [];
  bytesHeard = 0;

  private constructor(socket: WebSocket, read: (frame: Uint8Array) => ServerFrame) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.bytesHeard += data.byteLength;
      this.frames.push(read(new Uint8Array(data)));
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    // A cut connection is an error too; what matters of it is in `closed`.
    socket.on('error', (error) => this.errors.push(error));
  }

  /** `ca`: through TLS, believing this authority. */
  static collab(port: number, ca?: string, headers: Headers = {}): Promise<RawClient> {
    return RawClient.#open(`${ca === undefined ? 'ws' : 'wss'}://127.0.0.1:${port}/collab`, readCollab, {
      ...(ca === undefined ? {} : { ca }),
      headers,
    });
  }

  /** `path`: what follows `/yjs/`, as it is to stand in the URL. Rejects with UpgradeRefused. */
  static y(port: number, path: string, token = '', headers: Headers = {}): Promise<RawClient> {
    return RawClient.#open(`ws://127.0.0.1:${port}/yjs/${path}?token=${encodeURIComponent(token)}`, readY, { headers });
  }

  static async #open(url: string, read: (frame: Uint8Array) => ServerFrame, options: ClientOptions): Promise<RawClient> {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024, ...options });
    const client = new RawClient(socket, read);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_, response: IncomingMessage) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => reject(new UpgradeRefused(response.statusCode ?? 0, body, response.headers['retry-after'])));
      });
    });
    return client;
  }

  send(...frames: readonly (Uint8Array | string)[]): void {
    for (const frame of frames) this.#socket.send(frame);
  }

  /** Stops taking bytes from the kernel. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Cuts the connection without a word, as a crashed tab does. */
  cut(): void {
    this.#socket.terminate();
  }

  all<Is extends ServerFrame['is']>(is: Is, address?: string): ServerFrameOf<Is>[] {
    return this.frames.filter(
      (frame): frame is ServerFrameOf<Is> => frame.is === is && (address === undefined || frame.address === address),
    );
  }

  /** 1 and 0 of each SyncStatus heard, in order. */
  statuses(address?: string): number[] {
    return this.all('status', address).map(({ taken }) => taken);
  }

  /** Waits for the `count`th frame of a kind and gives it. */
  async heard<Is extends ServerFrame['is']>(
    is: Is,
    { address, count = 1 }: { address?: string; count?: number } = {},
  ): Promise<ServerFrameOf<Is>> {
    await until(() => this.all(is, address).length >= count, `a client heard ${count} x ${is}`, {
      seen: () =>
        `(heard: ${this.frames
          .map((frame) => frame.is)
          .slice(-20)
          .join(' ')}; closed: ${JSON.stringify(this.closed)})`,
    });
    return this.all(is, address)[count - 1]!;
  }

  async isClosed(withinMs?: number): Promise<Closed> {
    await until(() => this.closed !== undefined, 'the connection is closed', withinMs === undefined ? {} : { withinMs });
    return this.closed!;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.#socket.close();
    await this.isClosed();
  }
}
