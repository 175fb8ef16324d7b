import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, expect, test } from 'vitest';
import { startNats, type NatsServer } from './index.ts';

const servers: NatsServer[] = [];
const connections: NatsConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  for (const server of servers.splice(0)) await server.stop();
});

async function start(...options: Parameters<typeof startNats>): Promise<NatsServer> {
  const server = await startNats(...options);
  servers.push(server);
  return server;
}

async function open(url: string): Promise<NatsConnection> {
  const connection = await connect({ servers: url.split(','), reconnect: false });
  connections.push(connection);
  return connection;
}

test('[TK2][TK3] streams survive stop and kill, on the same URL', async () => {
  const server = await start();
  const connection = await open(server.url);
  await (await jetstreamManager(connection)).streams.add({ name: 'log', subjects: ['log'] });
  let sequence = 0;
  for (const end of ['stop', 'kill'] as const) {
    expect((await jetstream(await open(server.url)).publish('log', 'x')).seq).toBe(++sequence);
    await server[end]();
    await expect(open(server.url)).rejects.toThrow();
    await server.start();
  }
  expect((await jetstream(await open(server.url)).publish('log', 'x')).seq).toBe(3);
});

test('[TK4] a paused server is silent, a resumed one goes on', async () => {
  const server = await start();
  const connection = await open(server.url);
  await connection.flush();
  await server.pause();
  const flushed = connection.flush().then(() => 'answered');
  expect(await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, 100, 'silent'))])).toBe('silent');
  await server.resume();
  expect(await flushed).toBe('answered');
});

test('max_payload is what was asked for', async () => {
  const server = await start({ maxPayload: 65_536 });
  expect((await open(server.url)).info?.max_payload).toBe(65_536);
});

test('a cluster of three keeps a stream of three replicas while one is killed', async () => {
  const server = await start({ cluster: 3 });
  expect(server.servers).toHaveLength(3);
  const first = await open(server.servers[0]?.url ?? '');
  await (await jetstreamManager(first)).streams.add({ name: 'log', subjects: ['log'], num_replicas: 3 });
  const publish = async (): Promise<number> => (await jetstream(first).publish('log', 'x', { timeout: 5000 })).seq;
  // The server asked may not have heard yet which subjects the stream has.
  await expect.poll(publish, { timeout: 15_000 }).toBeGreaterThanOrEqual(1);
  await server.servers[2]?.kill();
  // The killed one may have led the stream: a new leader takes a moment.
  await expect.poll(publish, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
  await server.servers[2]?.start();
});
