import { isHead } from './json-answer.ts';
import type { Uws } from './uws.ts';
import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse, TemplatedApp } from '@rjweb/uws';

/** Plain HTTP that other services answer behind the gateway's port (standalone: one port for everything). */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Of who is connected: the client, or a proxy. */
  readonly address: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Several values: the header is sent as often. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

export type HttpRoute = (request: HttpRequest) => Promise<HttpAnswer>;

export interface StaticFile {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly cacheControl: string;
}

const bodyBytesMax = 64 * 1024;

export interface HttpSite {
  /** By uWS pattern, `/auth/*`. */
  readonly routes: Readonly<Record<string, HttpRoute>>;
  /** By exact path; `/` is the page. */
  readonly files: ReadonlyMap<string, StaticFile>;
}

export function addHttp(app: TemplatedApp, uws: Uws, { routes, files }: HttpSite, onError: (error: unknown) => void): void {
  for (const [pattern, route] of Object.entries(routes)) app.any(pattern, (res, req) => answerRoute(res, req, uws, route, onError));
  app.get('/*', (res, req) => answerFile(res, files.get(req.getUrl())));
  app.any('/*', (res, req) => respond(res, { status: 405, headers: { allow: 'GET' }, body: 'only GET here\n' }, isHead(req)));
}

function answerFile(res: UwsResponse, file: StaticFile | undefined): void {
  if (!file)
    return respond(res, { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'there is nothing here\n' });
  respond(res, {
    status: 200,
    headers: { 'content-type': file.contentType, 'cache-control': file.cacheControl, 'x-content-type-options': 'nosniff' },
    body: file.body,
  });
}

function answerRoute(res: UwsResponse, req: UwsRequest, uws: Uws, route: HttpRoute, onError: (error: unknown) => void): void {
  // uWS lets a request be read only before the first await.
  const headers: Record<string, string> = {};
  uws.eachHeader(req, (name, value) => {
    headers[name] = value;
  });
  const address = Buffer.from(res.getRemoteAddressAsText()).toString();
  const head = { method: req.getMethod().toUpperCase(), path: req.getUrl(), query: req.getQuery() ?? '', headers, address };
  let gone = false;
  res.onAborted(() => {
    gone = true;
  });
  const answer = (response: HttpAnswer): void => {
    if (gone) return;
    gone = true;
    respond(res, response, head.method === 'HEAD');
  };
  const chunks: Buffer[] = [];
  let bytes = 0;
  res.onData((chunk, isLast) => {
    bytes += chunk.byteLength;
    if (bytes > bodyBytesMax) return answer({ status: 413, headers: {}, body: `a body of at most ${bodyBytesMax} bytes is taken\n` });
    chunks.push(Buffer.from(chunk.slice(0)));
    if (!isLast) return;
    route({ ...head, body: Buffer.concat(chunks) }).then(answer, (error: unknown) => {
      onError(error);
      answer({ status: 500, headers: {}, body: 'something went wrong here\n' });
    });
  });
}

function respond(res: UwsResponse, { status, headers, body }: HttpAnswer, withoutBody = false): void {
  res.cork(() => {
    res.writeStatus(`${status} ${statusText[status] ?? ''}`.trim());
    for (const [name, values] of Object.entries(headers)) {
      for (const value of typeof values === 'string' ? [values] : values) res.writeHeader(name, value);
    }
    // With a length it would not end (build 1.5.0).
    if (withoutBody) res.endWithoutBody();
    else res.end(body);
  });
}

const statusText: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
