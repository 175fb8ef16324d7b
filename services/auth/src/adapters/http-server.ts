import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Logger } from '@weft/telemetry';

import { BODY_BYTES_MAX } from '../http.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly logger: Logger;
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
}

export interface HttpServer {
  readonly port: number;
  /** Takes no more requests; resolves once those under way are answered. */
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const HEADER_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 1000;

/** The HTTP side of auth behind node:http. Rejects with one sentence when it cannot listen. */
export async function startHttpServer({ host, port, logger, handle }: HttpServerOptions): Promise<HttpServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: HEADER_BYTES_MAX }, (incoming, outgoing) => {
    readRequest(incoming)
      .then(handle)
      .then((response) => send(outgoing, response))
      .catch((error: unknown) => {
        logger.error({ err: error }, 'a request could not be answered');
        outgoing.destroy();
      });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`auth cannot listen on ${host}:${port}: ${cause.message}`, { cause })));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<HttpRequest> {
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
  return { method: incoming.method ?? 'GET', path, query, headers: singleHeaders(incoming), body: await readBody(incoming) };
}

function singleHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

/** One byte more than the limit at most: enough for the handler to see that it was too much; the rest is read and dropped. */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk.subarray(0, BODY_BYTES_MAX + 1 - bytes));
    bytes += chunk.length;
  }
  return Buffer.concat(chunks);
}

function send(outgoing: ServerResponse, { status, headers, body }: HttpResponse): void {
  outgoing.writeHead(status, { ...headers, 'content-length': body.length });
  outgoing.end(body);
}
