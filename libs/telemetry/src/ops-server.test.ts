import { afterEach, expect, test } from 'vitest';
import { Metrics, startOpsServer, type OpsServer, type Readiness } from './index.ts';

let server: OpsServer | undefined;
afterEach(() => server?.close());

async function start(ready: () => Readiness): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const metrics = new Metrics();
  metrics.gauge('weft_open', { help: 'Open.' }).set(1);
  server = await startOpsServer({ port: 0, host: '127.0.0.1', ready, metrics });
  const { port } = server;
  return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

test('[TE7] health, readiness, metrics', async () => {
  let state: Readiness = { ok: true, reasons: [] };
  const get = await start(() => state);
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz?x=1')).status).toBe(200);
  state = { ok: false, reasons: ['Postgres is away'] };
  const away = await get('/readyz');
  expect(away.status).toBe(503);
  expect(await away.json()).toEqual(state);
  const scrape = await get('/metrics');
  expect(scrape.headers.get('content-type')).toContain('text/plain');
  expect(await scrape.text()).toContain('weft_open 1');
});

test('[TE7] a service’s own views, asked anew each time; one that fails is an error and harms nobody', async () => {
  let asked = 0;
  const views = { '/ring': async () => ({ asked: ++asked }), '/broken': () => Promise.reject(new Error('away')) };
  server = await startOpsServer({ port: 0, host: '127.0.0.1', ready: () => ({ ok: true, reasons: [] }), metrics: new Metrics(), views });
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${server!.port}${path}`);
  expect(await (await get('/ring')).json()).toEqual({ asked: 1 });
  expect(await (await get('/ring?again')).json()).toEqual({ asked: 2 });
  expect((await get('/broken')).status).toBe(500);
  expect((await get('/healthz')).status).toBe(200);
  expect(await (await get('/toString')).text()).toContain('/ring');
});

test('[TE7] other paths and methods', async () => {
  const get = await start(() => ({ ok: true, reasons: [] }));
  expect((await get('/')).status).toBe(404);
  expect((await get('/healthz', { method: 'POST', body: 'x' })).status).toBe(405);
  expect((await get('/healthz', { method: 'HEAD' })).status).toBe(200);
});

test('[TE8] a ready() that throws is not ready', async () => {
  const get = await start(() => {
    throw new Error('broken');
  });
  const response = await get('/readyz');
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ ok: false, reasons: ['broken'] });
});

test('[TE9] close ends kept-alive connections', async () => {
  const get = await start(() => ({ ok: true, reasons: [] }));
  await get('/healthz');
  await server?.close();
  await expect(get('/healthz')).rejects.toThrow();
});

test('a port in use is one sentence', async () => {
  await start(() => ({ ok: true, reasons: [] }));
  const port = server?.port ?? 0;
  await expect(
    startOpsServer({ port, host: '127.0.0.1', ready: () => ({ ok: true, reasons: [] }), metrics: new Metrics() }),
  ).rejects.toThrow(`the ops server cannot listen on 127.0.0.1:${port}`);
});
