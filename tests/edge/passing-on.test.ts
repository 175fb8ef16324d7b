import { type ClientRequest, type IncomingMessage, type ServerResponse, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Edge } from './edge.ts';
import { ask, handshake } from './raw-request.ts';
import { StandIn } from './stand-in.ts';

let gateway: StandIn;
let auth: StandIn;
let edge: Edge;
/** What auth says to the next questions of the edge. */
let verdict: { status: number; headers: Record<string, string> };
/** What the gateway does with the next request. */
let served: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  gateway = await StandIn.start((incoming, response) => served(incoming, response));
  auth = await StandIn.start((incoming, response) => {
    const { status, headers } = incoming.url?.startsWith('/auth/verify') === true ? verdict : { status: 200, headers: {} };
    response.writeHead(status, headers).end();
  });
  edge = await Edge.start({ gateways: [gateway.port], auth: auth.port });
});
afterAll(async () => {
  await edge.stop();
  await gateway.stop();
  await auth.stop();
});
beforeEach(() => {
  gateway.seen.length = auth.seen.length = 0;
  verdict = { status: 200, headers: { 'x-weft-grant': 'the-grant' } };
  served = (_request, response) =>
    void response.writeHead(200, { 'x-powered-by': 'somebody', uwebsockets: '20', 'x-weft-grant': 'leak' }).end('served');
});

const through = (target: string, headers: readonly (readonly [string, string])[] = [], method = 'GET') =>
  ask({ ca: edge.ca, port: edge.port, method, target, headers });

const forged = [
  'X-Weft-Grant',
  'X-Weft-Reason',
  'X-Weft-Anything-New',
  'X-Original-URI',
  'X-Original-Method',
  'X-Original-URL',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-User',
  'X-Real-IP',
  'Forwarded',
  'True-Client-IP',
  'X-HTTP-Method-Override',
  'X-Rewrite-URL',
  'Proxy',
].map((name) => [name, 'forged'] as const);

describe('[E9] headers of a client', () => {
  const ours = (): [string, string][] => [
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-host', `127.0.0.1:${edge.port}`],
    ['x-forwarded-proto', 'https'],
  ];

  test.each(['/collab', '/yjs/plan', '/sse?document=plan', '/push?session=x', '/', '/api/v1/documents', '/anything'])(
    '%s: none in our name gets to the gateway',
    async (target) => {
      await through(target, [...handshake, ...forged]);
      expect(gateway.last.headers.filter(([, value]) => value === 'forged')).toEqual([]);
      for (const header of ours()) expect(gateway.last.headers).toContainEqual(header);
      const grants = gateway.last.headers.filter(([name]) => name.startsWith('x-weft'));
      expect(grants).toEqual(target.startsWith('/yjs/') ? [['x-weft-grant', 'the-grant']] : []);
      expect(gateway.last.url).toBe(target);
    },
  );

  test('/auth/: none gets to auth, and no upgrade', async () => {
    await through('/auth/keys', [...handshake, ...forged]);
    expect(auth.last.headers.filter(([, value]) => value === 'forged')).toEqual([]);
    for (const header of ours()) expect(auth.last.headers).toContainEqual(header);
    expect(auth.last.headers.filter(([name]) => name === 'upgrade')).toEqual([]);
  });

  test('auth hears the target as the client wrote it, from the edge alone', async () => {
    const target = '/yjs/a%2f..;//%252e?token=x&token=y';
    await through(target, [
      ...handshake,
      ...forged,
      ['Cookie', 'weft_access=c'],
      ['Authorization', 'Bearer b'],
      ['Origin', 'https://o.test'],
    ]);
    const { url, headers } = auth.last;
    expect(url).toBe('/auth/verify');
    expect(headers.filter(([, value]) => value === 'forged')).toEqual([]);
    expect(Object.fromEntries(headers)).toEqual({
      host: `127.0.0.1:${edge.port}`,
      'x-original-uri': target,
      'x-forwarded-for': '127.0.0.1',
      authorization: 'Bearer b',
      cookie: 'weft_access=c',
      origin: 'https://o.test',
    });
  });

  test('absolute-form: nginx leaves the host out of what auth and gateway hear, and both hear the same', async () => {
    for (const path of ['/yjs/plan', '/yjs/a/../plan?x']) {
      await through(`http://other.test${path}`, handshake);
      const stated = auth.last.headers.find(([name]) => name === 'x-original-uri')?.[1];
      expect([stated, gateway.last.url]).toEqual([path, path]);
    }
  });

  test('HTTP/2: the same headers go on, and the host is the one the client named', async () => {
    const session = connectHttp2(`https://127.0.0.1:${edge.port}`, { ca: edge.ca });
    const asking = session.request({
      ':path': '/yjs/plan?token=x',
      ':authority': 'weft.test',
      'x-weft-grant': 'forged',
      'x-original-uri': 'forged',
      'x-forwarded-for': 'forged',
    });
    const [answer] = (await once(asking, 'response')) as [Record<string, unknown>];
    session.destroy();
    expect(answer[':status']).toBe(200);
    for (const { headers } of [auth.last, gateway.last]) {
      expect(headers).toContainEqual(['host', 'weft.test']);
      expect(headers.filter(([, value]) => value === 'forged')).toEqual([]);
    }
    expect(auth.last.headers).toContainEqual(['x-original-uri', '/yjs/plan?token=x']);
    expect(gateway.last.headers).toContainEqual(['x-weft-grant', 'the-grant']);
  });

  test('only a WebSocket is upgraded to', async () => {
    await through('/collab', [
      ['Connection', 'Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
    ]);
    expect(gateway.last.headers.filter(([name]) => ['upgrade', 'http2-settings'].includes(name))).toEqual([]);
  });
});

describe('[E10] answers', () => {
  test('bear no version, no name of a server, and no grant', async () => {
    const { headers } = await through('/');
    expect([headers['server'], headers['x-powered-by'], headers['uwebsockets'], headers['x-weft-grant']]).toEqual([
      'nginx',
      undefined,
      undefined,
      undefined,
    ]);
    const refused = await through('/auth/verify');
    expect([refused.status, refused.body.includes('nginx/')]).toEqual([404, false]);
  });

  test('auth is asked each time anew', async () => {
    verdict = { status: 200, headers: { 'x-weft-grant': 'the-grant', 'cache-control': 'public, max-age=600' } };
    expect((await through('/yjs/plan', handshake)).status).toBe(101);
    verdict = { status: 403, headers: { 'x-weft-reason': 'withdrawn' } };
    const { status, headers } = await through('/yjs/plan', handshake);
    expect([status, headers['x-weft-reason']]).toEqual([403, 'withdrawn']);
    expect(gateway.seen).toHaveLength(1);
  });

  test.each([400, 404, 429, 431, 500, 503])('auth that answers %i is no yes and no no: come again', async (status) => {
    verdict = { status, headers: {} };
    const answer = await through('/yjs/plan', handshake);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2']);
    expect(gateway.seen).toEqual([]);
  });

  test('auth that redirects is no yes', async () => {
    verdict = { status: 302, headers: { location: '/collab' } };
    expect((await through('/yjs/plan', handshake)).status).toBe(503);
    expect(gateway.seen).toEqual([]);
  });
});

describe('[E11] for networks without WebSocket', () => {
  const over = (path: string, method: string): ClientRequest =>
    requestTls({ port: edge.port, host: '127.0.0.1', ca: edge.ca, path, method });

  test('/sse: an event is there before the next one is written', async () => {
    let next: () => void = () => undefined;
    served = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: open\ndata: 1\n\n');
      next = () => void response.end('data: 2\n\n');
    };
    const asking = over('/sse?dialect=yjs&document=plan', 'GET').end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toBe('event: open\ndata: 1\n\n');
    next();
    const [second] = (await once(response, 'data')) as [Buffer];
    expect(second.toString()).toBe('data: 2\n\n');
  });

  test('/push: a body of 8 MiB goes on while it comes', async () => {
    let first: (bytes: number) => void = () => undefined;
    const arrived = new Promise<number>((resolve) => {
      first = resolve;
    });
    let bytes = 0;
    served = (incoming, response) => {
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        first(bytes);
      });
      incoming.on('end', () => void response.writeHead(204).end());
    };
    const pushing = over('/push?session=x', 'POST');
    pushing.setHeader('content-length', 8 * 1024 * 1024);
    pushing.write(Buffer.alloc(64 * 1024));
    expect(await arrived).toBeGreaterThan(0);
    pushing.end(Buffer.alloc(8 * 1024 * 1024 - 64 * 1024));
    const [response] = (await once(pushing, 'response')) as [IncomingMessage];
    expect([response.statusCode, bytes]).toEqual([204, 8 * 1024 * 1024]);
  });
});

test('[E8] plain HTTP gets nothing but the way to TLS', async () => {
  for (const path of ['/collab', '/yjs/plan', '/auth/keys', '/']) {
    const asking = request({ port: edge.plainPort, path, headers: { host: 'weft.test' } }).end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    response.resume();
    expect([response.statusCode, response.headers.location]).toEqual([308, `https://weft.test${path}`]);
  }
  expect([gateway.seen, auth.seen]).toEqual([[], []]);
});
