import { afterEach, expect, test } from 'vitest';
import { startNginx, type NginxPlace, type NginxServer } from './index.ts';

const servers: NginxServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const says =
  (word: string) =>
  ({ port }: NginxPlace): string =>
    `server { listen 127.0.0.1:${port}; location / { return 200 '${word}'; } }`;

async function get(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(500) })).text();
}

test('[TK2][TK3][TK4] it serves, stops, is killed with its workers, comes back, stalls and goes on', async () => {
  const server = await startNginx({ config: says('one') });
  servers.push(server);
  expect(await get(server.url)).toBe('one');
  for (const end of ['stop', 'kill'] as const) {
    await server[end]();
    await expect(get(server.url)).rejects.toThrow();
    await server.start();
    expect(await get(server.url)).toBe('one');
  }
  await server.pause();
  await expect(get(server.url)).rejects.toThrow();
  await server.resume();
  expect(await get(server.url)).toBe('one');
});

test('a whole configuration, a new one by reload, a bad one refused', async () => {
  const server = await startNginx({ config: (place) => `events {}\nhttp {\naccess_log off;\n${says('one')(place)}\n}` });
  servers.push(server);
  expect(await get(server.url)).toBe('one');
  await server.reload(says('two'));
  await expect.poll(() => get(server.url)).toBe('two');
  await expect(server.reload(() => 'nonsense;')).rejects.toThrow('nginx refuses its configuration');
});
