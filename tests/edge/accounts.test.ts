import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { Edge } from './edge.ts';
import { ask, handshake } from './raw-request.ts';

let cluster: Cluster;
let edge: Edge;
beforeAll(async () => {
  cluster = await startCluster({ gateways: 2, env: { WEFT_AUTH: 'builtin', WEFT_GRANTS: 'edge', WEFT_TRUSTED_PROXIES: '127.0.0.1' } });
  edge = await Edge.start({ gateways: cluster.gateways.map(({ port }) => port), auth: cluster.auth[0]!.port });
});
afterAll(async () => {
  await edge?.stop();
  await cluster?.kill();
});

const own = (): string => `https://127.0.0.1:${edge.port}`;

/** As a page of this house calls auth. */
function call(method: string, target: string, { body, cookie }: { body?: object; cookie?: string } = {}) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers: [string, string][] = [['Origin', own()]];
  if (cookie !== undefined) headers.push(['Cookie', cookie]);
  if (text !== '') headers.push(['Content-Type', 'application/json'], ['Content-Length', String(Buffer.byteLength(text))]);
  return ask({ ca: edge.ca, port: edge.port, method, target, headers, body: text });
}

/** Gives what the browser would send from now on. */
async function signUp(userName: string): Promise<string> {
  const { status, headers } = await call('POST', '/auth/sign-up', { body: { userName, password: 'correct horse battery', cookies: true } });
  expect(status).toBe(201);
  const cookies = headers['set-cookie'] ?? '';
  expect(cookies).toMatch(/weft_access=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax/);
  return `weft_access=${/weft_access=([^;]+)/.exec(cookies)?.[1] ?? ''}`;
}

const upgrade = (document: string, cookie: string, origin = own()) =>
  ask({ ca: edge.ca, port: edge.port, target: `/yjs/${document}`, headers: [...handshake, ['Cookie', cookie], ['Origin', origin]] });

test('[E12] accounts behind the edge: sign up, open with the cookie, share, and be out on sign-out within two seconds', async () => {
  const [ada, bob] = [await signUp('ada'), await signUp('bob')];
  expect((await upgrade('plan', ada)).status).toBe(101);
  const refused = await upgrade('plan', bob);
  expect([refused.status, refused.headers['x-weft-grant']]).toEqual([403, undefined]);
  expect((await upgrade('plan', ada, 'https://evil.test')).status).toBe(401);

  expect((await call('PUT', '/auth/documents/plan/roles/bob', { body: { role: 'viewer' }, cookie: ada })).status).toBe(200);
  expect((await upgrade('plan', bob)).status).toBe(101);

  const socket = new WebSocket(`wss://127.0.0.1:${edge.port}/yjs/plan`, { ca: edge.ca, headers: { Cookie: bob, Origin: own() } });
  await once(socket, 'open');
  const closed = once(socket, 'close') as Promise<[number]>;
  const startMs = performance.now();
  expect((await call('POST', '/auth/sign-out-everywhere', { cookie: bob })).status).toBe(204);
  const [code] = await closed;
  expect(performance.now() - startMs).toBeLessThan(2000);
  expect([4401, 4403]).toContain(code);
  expect((await upgrade('plan', bob)).status).toBe(401);
  expect((await upgrade('plan', ada)).status).toBe(101);
});

test('[E12] a document whose name needs encoding is the same one to the gateway and to its rights', async () => {
  const [eve, joe] = [await signUp('eve'), await signUp('joe')];
  const name = encodeURIComponent('notes/für uns; %2f');
  expect((await upgrade(name, eve)).status).toBe(101);
  expect((await call('PUT', `/auth/documents/${name}/roles/joe`, { body: { role: 'editor' }, cookie: eve })).status).toBe(200);
  expect((await upgrade(name, joe)).status).toBe(101);
  expect((await upgrade(encodeURIComponent('notes/für uns; /'), eve)).status).toBe(101);
  expect((await upgrade(encodeURIComponent('notes/für uns; /'), joe)).status).toBe(403);
});
