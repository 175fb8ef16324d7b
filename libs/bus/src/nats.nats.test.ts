import { fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@weft/telemetry';
import { type NatsServer, startNats, temporaryFolder } from '@weft/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { BusNoResponders, BusTimeout } from './bus.ts';
import { busContract } from './contract.test-suite.ts';
import { NatsBus, type NatsBusOptions } from './nats.ts';
import { NatsUnreachable } from './nats-connection.ts';

const logger = createLogger({ service: 'bus-test', level: 'silent' });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

busContract('NATS', async () => {
  const server = await startNats({ jetstream: false });
  return { connect: () => NatsBus.connect({ url: server.url, name: 'contract', logger }), end: () => server.stop() };
});

describe('NATS goes and comes', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  /** A server of the test's own. */
  const startOwn = async (configText = ''): Promise<NatsServer> => {
    const server = await startNats({ jetstream: false, configText });
    closing.push(() => server.stop());
    return server;
  };
  const connect = async (url: string, options: Partial<NatsBusOptions> = {}): Promise<NatsBus> => {
    const bus = await NatsBus.connect({ url, name: 'test', logger, ...options });
    closing.push(() => bus.close());
    return bus;
  };
  const becomes = (bus: NatsBus, connected: boolean): Promise<void> =>
    new Promise((resolve) => {
      const stop = bus.onConnection((now) => {
        if (now !== connected) return;
        stop();
        resolve();
      });
    });
  const heard = (bus: NatsBus, subject: string): Promise<string> =>
    new Promise((resolve) => {
      const subscription = bus.subscribe(subject, ({ data }) => {
        subscription.unsubscribe();
        resolve(text(data));
      });
    });

  test.each(['stop', 'kill'] as const)(
    'after %s and start subscriptions go on; what was published meanwhile is dropped, without an error',
    async (how) => {
      const server = await startOwn();
      const [a, b] = [await connect(server.url), await connect(server.url)];
      const got: string[] = [];
      let arrived = (): void => undefined;
      b.subscribe('news', ({ data }) => {
        got.push(text(data));
        arrived();
      });
      await b.flush();
      const away = Promise.all([becomes(a, false), becomes(b, false)]);
      await server[how]();
      await away;
      expect([a.connected, b.connected]).toEqual([false, false]);
      for (let i = 0; i < 1_000; i += 1) a.publish('news', new Uint8Array(100_000));
      await a.flush();
      await expect(a.request('news', bytes('?'), { timeoutMs: 10_000 })).rejects.toBeInstanceOf(BusNoResponders);
      const back = Promise.all([becomes(a, true), becomes(b, true)]);
      await server.start();
      await back;
      await b.flush();
      const next = new Promise<void>((resolve) => (arrived = resolve));
      a.publish('news', bytes('after'));
      await next;
      expect(got).toEqual(['after']);
    },
  );

  test('a request whose server dies is BusTimeout, within its time', async () => {
    const server = await startOwn();
    const [a, b] = [await connect(server.url), await connect(server.url)];
    const asked = heard(b, 'ask');
    await b.flush();
    const refused = expect(a.request('ask', bytes('x'), { timeoutMs: 500 })).rejects.toBeInstanceOf(BusTimeout);
    await asked;
    await server.kill();
    await refused;
  });

  test(
    'a server that does not read fills a bounded window, then messages are dropped; when it reads again they flow',
    { timeout: 40_000 },
    async () => {
      const server = await startOwn();
      const [a, b] = [await connect(server.url), await connect(server.url)];
      await server.pause();
      const mebibyte = new Uint8Array(1024 * 1024);
      for (let i = 0; i < 150; i += 1) {
        a.publish('window', mebibyte);
        // Let the library write: it is the socket that must not grow.
        await new Promise((resolve) => setImmediate(resolve));
      }
      // 64 MiB of payload on their way, and not the 150 that were published.
      expect(process.memoryUsage().arrayBuffers).toBeLessThan(110 * 1024 * 1024);
      await server.resume();
      // A pause may have been long enough to be taken for a dead server: then it reconnects.
      for (;;) {
        const got = heard(b, 'window.open');
        await Promise.all([a.flush(), b.flush()]);
        a.publish('window.open', bytes('again'));
        if ((await Promise.race([got, new Promise((resolve) => setTimeout(resolve, 200, 'not yet'))])) === 'again') break;
      }
    },
  );

  test('a subscriber too slow for the server is cut off by it, comes back, and hears what is said then', { timeout: 40_000 }, async () => {
    const server = await startOwn('max_pending: 1MB\nwrite_deadline: "200ms"');
    const bus = await connect(server.url);
    const slow = fork(fileURLToPath(new URL('./slow-subscriber.test-process.ts', import.meta.url)), [server.url], {
      execArgv: ['--conditions=weft-source', '--import', 'tsx'],
    });
    closing.push(async () => void slow.kill('SIGKILL'));
    const tells: (wanted: string) => Promise<void> = (wanted) =>
      new Promise((resolve, reject) => {
        slow.once('error', reject);
        slow.on('message', (said) => said === wanted && resolve());
      });
    await tells('subscribed');
    const [away, back] = [tells('away'), tells('back')];
    slow.kill('SIGSTOP');
    for (let i = 0; i < 40; i += 1) {
      bus.publish('slow', new Uint8Array(1024 * 1024));
      await bus.flush();
    }
    slow.kill('SIGCONT');
    await Promise.all([away, back]);
    const after = tells('heard after');
    bus.publish('slow', bytes('after'));
    await after;
  });

  test('max_payload is asked of the server', async () => {
    const server = await startNats({ jetstream: false, maxPayload: 65_536 });
    closing.push(() => server.stop());
    expect((await connect(server.url)).payloadBytesMax).toBe(65_536);
  });

  test('who may not come in is told where and why; user and password also come from the URL', async () => {
    const server = await startOwn('authorization { user: weft, password: "p w/d" }');
    const refused = connect(server.url);
    await expect(refused).rejects.toBeInstanceOf(NatsUnreachable);
    await expect(refused).rejects.toThrow(/127\.0\.0\.1:\d+: .*authorization/i);
    const inUrl = server.url.replace('nats://', `nats://weft:${encodeURIComponent('p w/d')}@`);
    for (const bus of [await connect(inUrl), await connect(server.url, { user: 'weft', password: 'p w/d' })]) {
      expect(bus.connected).toBe(true);
      await bus.flush();
    }
  });

  test('closing while the server is away does not hang', async () => {
    const server = await startOwn();
    const bus = await connect(server.url);
    const away = becomes(bus, false);
    await server.kill();
    await away;
    await bus.close();
    expect(bus.connected).toBe(false);
  });

  test('over TLS, with a certificate only the given file vouches for', async (context) => {
    const folder = temporaryFolder('tls');
    const made = spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      `${folder}/key.pem`,
      '-out',
      `${folder}/cert.pem`,
    ]);
    if (made.status !== 0) context.skip('no openssl here to make a certificate with');
    const server = await startOwn(`tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem" }`);
    const bus = await connect(server.url.replace('nats://', 'tls://'), { tlsCaFile: `${folder}/cert.pem` });
    const got = heard(bus, 'secret');
    await bus.flush();
    bus.publish('secret', bytes('kept'));
    expect(await got).toBe('kept');
    await expect(connect(server.url)).rejects.toBeInstanceOf(NatsUnreachable);
  });

  test('no server: NatsUnreachable', async () => {
    const server = await startOwn();
    await server.stop();
    await expect(connect(server.url)).rejects.toThrow(/cannot connect to NATS at 127\.0\.0\.1:\d+/);
  });
});
