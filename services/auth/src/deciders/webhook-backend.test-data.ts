import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly token: string;
  readonly document: string;
}

/** The operator's backend: a real HTTP server that answers as a test says. */
export class WebhookBackend {
  readonly asked: Asked[] = [];
  answer: (asked: Asked, response: ServerResponse) => void = (_asked, response) => says(response, ALLOWS);
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const { token, document } = JSON.parse(body) as { token: string; document: string };
        const asked = { method: request.method ?? '', headers: request.headers, body, token, document };
        this.asked.push(asked);
        this.answer(asked, response);
      });
    });
  }

  static async start(): Promise<WebhookBackend> {
    const backend = new WebhookBackend();
    await new Promise<void>((resolve) => backend.#server.listen(0, '127.0.0.1', resolve));
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/weft/may`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const ALLOWS = { user: { id: 'u1', name: 'Ada' }, role: 'editor' };

export function says(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
}
