/** The app for who owns the port itself: bytes in, bytes out. */
import type { FastifyInstance } from 'fastify';

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The client's, if whoever has the port knows it. */
  readonly address?: string | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Several: the header is sent as often. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
const METHODS: ReadonlySet<string> = new Set<Method>(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Whoever has the port says these itself. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'content-length', 'transfer-encoding', 'date']);

export async function carry(app: FastifyInstance, request: HttpRequest): Promise<HttpResponse> {
  const { path, query, headers, body, address } = request;
  const response = await app.inject({
    method: (METHODS.has(request.method) ? request.method : 'PATCH') as Method,
    url: query === '' ? path : `${path}?${query}`,
    headers,
    ...(body.length === 0 ? {} : { payload: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
    ...(address === undefined ? {} : { remoteAddress: address }),
  });
  const answered: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined && !OF_THE_CONNECTION.has(name)) answered[name] = Array.isArray(value) ? value : String(value);
  }
  return { status: response.statusCode, headers: answered, body: response.rawPayload };
}
