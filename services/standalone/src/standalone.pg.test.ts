import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLogger } from '@weft/telemetry';
import { readSite } from '@weft/web';
import { buildWeb } from '@weft/web/build';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { readStandaloneConfig } from './config.ts';
import { Standalone } from './standalone.ts';

const loggerOf = (part: string) => createLogger({ service: part, level: 'silent' });
const houseOn = (data: string, port = 0) =>
  new Standalone(readStandaloneConfig({ WEFT_DATA: data, WEFT_PORT: String(port) }), { loggerOf });

let data: string;
let house: Standalone;
beforeAll(async () => {
  await readSite().catch(buildWeb);
  data = await mkdtemp(join(tmpdir(), 'weft-standalone-'));
  house = houseOn(data);
  await house.run();
});
afterAll(async () => {
  await house.drain();
  await house.stop();
  await rm(data, { recursive: true, force: true });
});

const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${house.port}${path}`, init);

describe('a house that is up', () => {
  test('serves the page, its parts for ever and itself never from a cache', async () => {
    const page = await get('/?doc=welcome');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())?.[1];
    const asset = await get(script ?? '/');
    expect(asset.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(asset.headers.get('cache-control')).toContain('immutable');
  });

  test('signs a developer in behind the same port', async () => {
    const body = JSON.stringify({ name: 'Ada' });
    const response = await get('/auth/dev/sign-in', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(await response.json()).toMatchObject({ token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) });
  });

  test('a second one on the same folder is refused with a sentence, and the first goes on', async () => {
    const second = houseOn(data);
    await expect(second.run()).rejects.toThrow(/^the folder .+ is in use by process \d+/);
    await second.stop();
    expect((await get('/')).status).toBe(200);
  });
});

test('a port in use is refused with one line, before anything is made', async () => {
  const taken = await new Promise<Server>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });
  const { port } = taken.address() as AddressInfo;
  const other = houseOn(join(data, 'never'), port);
  await expect(other.run()).rejects.toThrow(`port ${port} is in use already: stop what listens there, or choose another with WEFT_PORT`);
  await other.stop();
  await new Promise((resolve) => taken.close(resolve));
});

test('a stop in the middle of the start leaves nothing behind, and the folder can be used again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weft-standalone-'));
  const hasty = houseOn(folder);
  const running = hasty.run();
  await hasty.stop();
  await running;
  const patient = houseOn(folder);
  await patient.run();
  expect(patient.port).toBeGreaterThan(0);
  await patient.stop();
  await rm(folder, { recursive: true, force: true });
});

test('WEFT_AUTH=builtin: somebody signs up behind the one port, and the gateway lets them in with that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weft-standalone-'));
  const own = new Standalone(readStandaloneConfig({ WEFT_DATA: folder, WEFT_PORT: '0', WEFT_AUTH: 'builtin' }), { loggerOf });
  await own.run();
  const origin = `http://127.0.0.1:${own.port}`;
  const signedUp = await fetch(`${origin}/auth/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ userName: 'ada', password: 'correct horse battery', cookies: true }),
  });
  expect(signedUp.status).toBe(201);
  expect(signedUp.headers.getSetCookie().map((cookie) => cookie.split('=', 1)[0])).toEqual(['weft_access', 'weft_refresh']);
  const { accessToken } = (await signedUp.json()) as { accessToken: string };
  expect(await closeCodeOf(own.port, 'wrong')).not.toBe('open');
  expect(await closeCodeOf(own.port, accessToken)).toBe('open');
  await own.drain();
  await own.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Of /yjs: 'open' once the house sent its first frame, else what it closed with. */
function closeCodeOf(port: number, token: string): Promise<'open' | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/yjs/plan?token=${token}`);
  return new Promise((resolve) => {
    socket.once('message', () => {
      resolve('open');
      socket.close();
    });
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
    socket.once('close', resolve);
  });
}
