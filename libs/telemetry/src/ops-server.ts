import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface Readiness {
  readonly ok: boolean;
  /** Why not ready, one sentence each. */
  readonly reasons: readonly string[];
}

export interface OpsServerOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly host: string;
  readonly ready: () => Readiness;
  readonly metrics: Metrics;
  /** Further paths, answered with what these give, as JSON. */
  readonly views?: Readonly<Record<string, () => unknown>>;
}

export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 100;

/** `/healthz`, `/readyz`, `/metrics` and a service's own views, for the cluster only, never public. Rejects with one sentence when it cannot listen. */
export async function startOpsServer({ port, host, ready, metrics, views = {} }: OpsServerOptions): Promise<OpsServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request, { ready, metrics, views }).then(
      ({ status, contentType, body }) => send(request, response, status, contentType, body),
      (error: unknown) => send(request, response, 500, 'text/plain', `${String(error)}\n`),
    );
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`the ops server cannot listen on ${host}:${port}: ${cause.message}`, { cause })));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

async function answer(
  request: IncomingMessage,
  { ready, metrics, views }: Required<Pick<OpsServerOptions, 'ready' | 'metrics' | 'views'>>,
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD\n');
  const path = request.url?.split('?', 1)[0] ?? '';
  switch (path) {
    case '/healthz':
      return text(200, 'ok\n');
    case '/readyz':
      return readiness(ready);
    case '/metrics':
      return { status: 200, contentType: metrics.contentType, body: await metrics.text() };
    default:
      break;
  }
  if (!Object.hasOwn(views, path)) return text(404, `there are ${['/healthz', '/readyz', '/metrics', ...Object.keys(views)].join(', ')}\n`);
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(await views[path]!())}\n` };
}

function readiness(ready: () => Readiness): Answer {
  let state: Readiness;
  try {
    state = ready();
  } catch (error) {
    state = { ok: false, reasons: [error instanceof Error ? error.message : String(error)] };
  }
  return { status: state.ok ? 200 : 503, contentType: 'application/json', body: `${JSON.stringify(state)}\n` };
}

function text(status: number, body: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

function send(request: IncomingMessage, response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}
