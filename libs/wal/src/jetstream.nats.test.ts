import { cp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { jetstreamManager, type JetStreamManager, PersistMode, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { createLogger } from '@weft/telemetry';
import { type NatsServer, startNats, temporaryFolder } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LogOptions, walContract } from './contract.test-suite.ts';
import { isNewEnough, JetStreamWal, type JetStreamWalOptions } from './jetstream.ts';
import { type Wal, WalTrimmed, WalUnavailable, WalUnusable } from './wal.ts';

const logger = createLogger({ service: 'wal-test', level: 'silent' });
/** NATS sets `bytesMax` aside for each stream, and each test has its own. */
const bytesMax = 100_000_000;
const freshName = (): string => `LOG_${crypto.randomUUID().replaceAll('-', '')}`;

const loggerOf = (line: (text: string) => void) => createLogger({ service: 'wal-test', level: 'debug', stream: { write: line } });

async function appendMany(wal: Wal, records: number): Promise<void> {
  for (let i = 0; i < records; i += 100) await Promise.all(Array.from({ length: 100 }, () => wal.append(0, Uint8Array.of(1))));
}

async function managed<T>(url: string, work: (manager: JetStreamManager, connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: url.split(',') });
  try {
    return await work(await jetstreamManager(connection), connection);
  } finally {
    await connection.close();
  }
}

walContract('JetStream', async () => {
  const folder = temporaryFolder('wal-contract');
  const [storeDir, kept] = [join(folder, 'store'), join(folder, 'kept')];
  const server = await startNats({ configText: '# private', storeDir });
  return {
    freshLog: async () => {
      const streamName = freshName();
      const walAt = (url: string, options?: LogOptions): JetStreamWal =>
        new JetStreamWal({ url, name: 'test', logger, streamName, bytesMax, ...options });
      return {
        wal: (options) => walAt(server.url, options),
        wipe: () => managed(server.url, async (manager) => void (await manager.streams.delete(`${streamName}_0`))),
        backup: async () => {
          await server.stop();
          await rm(kept, { recursive: true, force: true });
          await cp(storeDir, kept, { recursive: true });
          await server.start();
          return async (records) => {
            await server.kill();
            await rm(storeDir, { recursive: true });
            await cp(kept, storeDir, { recursive: true });
            if (records > 0) await appendedElsewhere(storeDir, (url) => walAt(url), records);
            await server.start();
          };
        },
      };
    },
    kill: () => server.kill(),
    startAgain: () => server.start(),
    end: () => server.stop(),
  };
});

/** By a server at another port: who waits for the log does not see it happen. */
async function appendedElsewhere(storeDir: string, walAt: (url: string) => Wal, records: number): Promise<void> {
  const server = await startNats({ configText: '# elsewhere', storeDir });
  const wal = walAt(server.url);
  await wal.open();
  for (let i = 1; i <= records; i += 1) await wal.append(0, new TextEncoder().encode(`other ${i}`));
  await wal.close();
  await server.stop();
}

describe('the log in JetStream', () => {
  let server: NatsServer;
  const wals: Wal[] = [];
  beforeAll(async () => {
    server = await startNats({ configText: '# private' });
  });
  afterEach(async () => {
    await Promise.all(wals.splice(0).map((wal) => wal.close()));
  });
  afterAll(() => server.stop());

  const walOf = (options: Partial<JetStreamWalOptions> = {}): JetStreamWal => {
    const wal = new JetStreamWal({ url: server.url, name: 'test', logger, streamName: freshName(), bytesMax, ...options });
    wals.push(wal);
    return wal;
  };

  test('[L1] a stream a slice, on file, that throws nothing away by itself', async () => {
    const streamName = freshName();
    const wal = walOf({ streamName, slices: 2, bytesMax: 1_000_000 });
    await wal.open();
    const { identity } = await wal.state(1);
    const { config } = await managed(server.url, (manager) => manager.streams.info(`${streamName}_1`));
    expect(config).toMatchObject({
      subjects: [`weft.log.1.${identity}`],
      storage: 'file',
      retention: 'limits',
      discard: 'new',
      max_age: 0,
      max_msgs: -1,
      max_bytes: 1_000_000,
    });
  });

  test('[L6] a stream that differs is brought to our settings where that is safe, and keeps what it holds', async () => {
    const streamName = freshName();
    const first = walOf({ streamName, bytesMax: 1_000_000 });
    await first.open();
    await first.append(0, Uint8Array.of(1));
    const before = await first.state(0);
    await managed(server.url, (manager) => manager.streams.update(`${streamName}_0`, { max_age: 600_000_000_000, max_msgs: 10 }));
    const second = walOf({ streamName, bytesMax: 2_000_000 });
    await second.open();
    expect(await second.state(0)).toEqual(before);
    const { config } = await managed(server.url, (manager) => manager.streams.info(`${streamName}_0`));
    expect(config).toMatchObject({ max_age: 0, max_msgs: -1, max_bytes: 2_000_000 });
  });

  test('[D2] what cannot be used is WalUnusable, with what to change', async () => {
    const taken = freshName();
    await managed(server.url, (manager) => manager.streams.add({ name: `${taken}_0`, subjects: [`${taken}.x`] }));
    await expect(walOf({ streamName: taken }).open()).rejects.toThrow(/not a log of ours.*WEFT_LOG_STREAM/s);
    const queue = freshName();
    await managed(server.url, (manager) =>
      manager.streams.add({ name: `${queue}_0`, subjects: ['weft.log.0.abc'], retention: RetentionPolicy.Workqueue }),
    );
    await expect(walOf({ streamName: queue }).open()).rejects.toThrow(/retention "workqueue"/);
    await managed(server.url, (manager) => manager.streams.delete(`${queue}_0`));
    const refused = (options: Partial<JetStreamWalOptions>): Promise<unknown> =>
      walOf(options)
        .open()
        .catch((error: unknown) => error);
    expect(await refused({ replicas: 3 })).toBeInstanceOf(WalUnusable);
    expect(String(await refused({ replicas: 3 }))).toMatch(
      /replicas > 1 not supported.*WEFT_LOG_REPLICAS asks for more copies than there are servers/,
    );
    expect(await refused({ bytesMax: 2 ** 50 })).toBeInstanceOf(WalUnusable);
    expect(String(await refused({ bytesMax: 2 ** 50 }))).toMatch(
      /NATS refuses the log's settings: insufficient storage.*WEFT_LOG_BYTES_MAX aside for every slice.*lower it.*max_file_store/,
    );
  });

  test('[D2] 2.12 and what came after it is new enough; an unreadable version is not', () => {
    expect(['2.12.0', '2.12.0-RC.1', '2.15.2', '3.0.0'].filter(isNewEnough)).toHaveLength(4);
    expect(['2.9.10', '2.11.99', '1.99.0', 'dev', ''].filter(isNewEnough)).toEqual([]);
  });

  test('[L4] a record somebody deleted out of the middle is WalTrimmed, not skipped', async () => {
    const streamName = freshName();
    const wal = walOf({ streamName });
    await wal.open();
    const { identity } = await wal.state(0);
    for (let i = 0; i < 5; i += 1) await wal.append(0, Uint8Array.of(i));
    await managed(server.url, (manager) => manager.streams.deleteMessage(`${streamName}_0`, 3));
    const reader = wal.read(0, 1, identity);
    // In as many batches as the server likes.
    const positions: number[] = [];
    const readAll = async (): Promise<never> => {
      for (;;) for (const { position } of await reader.next()) positions.push(position);
    };
    const refusal: unknown = await readAll().catch((error: unknown) => error);
    expect(positions).toEqual([1, 2]);
    expect(refusal).toBeInstanceOf(WalTrimmed);
    expect((refusal as WalTrimmed).first).toBe(4);
  });

  test('[L3] a reader whose consumer is deleted goes on with the next record', async () => {
    const streamName = freshName();
    const wal = walOf({ streamName });
    await wal.open();
    const { identity } = await wal.state(0);
    const reader = wal.read(0, 1, identity);
    await wal.append(0, Uint8Array.of(1));
    await reader.next();
    await managed(server.url, async (manager) => {
      for await (const { name } of manager.consumers.list(`${streamName}_0`)) await manager.consumers.delete(`${streamName}_0`, name);
    });
    await wal.append(0, Uint8Array.of(2));
    expect((await reader.next()).map(({ position }) => position)).toEqual([2]);
  });

  test('[L3] what a reader has not taken is not fetched: 60 MB wait in the log, not in memory', { timeout: 40_000 }, async () => {
    const wal = walOf();
    await wal.open();
    const { identity } = await wal.state(0);
    for (let i = 0; i < 60; i += 1) await wal.append(0, new Uint8Array(1_000_000).fill(i));
    const reader = wal.read(0, 1, identity);
    await reader.next();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { pending, delivered } = await managed(server.url, async (manager) => {
      const streams = await manager.streams.names(`weft.log.0.${identity}`).next();
      const [consumer] = await manager.consumers.list(streams[0]!).next();
      return { pending: consumer!.num_pending, delivered: consumer!.delivered.stream_seq };
    });
    expect(delivered).toBeLessThanOrEqual(27);
    expect(pending).toBeGreaterThan(30);
    let next = 0;
    for (let count = (await reader.next()).length; count < 60 - 9; count += next) next = (await reader.next()).length;
  });

  test(
    '[L3] a reader that takes nothing for longer than silence may last holds one pull all the same, and then reads on',
    { timeout: 60_000 },
    async () => {
      const begunAnew: string[] = [];
      const wal = walOf({ logger: loggerOf((line) => void (line.includes('reading begins anew') && begunAnew.push(line))) });
      await wal.open();
      const { identity } = await wal.state(0);
      const all = 2_500;
      await appendMany(wal, all);
      const reader = wal.read(0, 1, identity);
      // Twice as long as the consumer may be silent.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      let next = await reader.next();
      expect(next.length).toBeLessThanOrEqual(1_000);
      const positions = next.map(({ position }) => position);
      for (; positions.length < all; positions.push(...next.map(({ position }) => position))) next = await reader.next();
      expect(positions).toEqual(Array.from({ length: all }, (_, i) => i + 1));
      // Nor after each pull that was filled, to make a consumer anew.
      expect(begunAnew).toEqual([]);
    },
  );

  test('[L3] a slow reader that has taken everything notices a consumer that is gone', { timeout: 40_000 }, async () => {
    const streamName = freshName();
    const wal = walOf({ streamName });
    await wal.open();
    const { identity } = await wal.state(0);
    await appendMany(wal, 1_000);
    const reader = wal.read(0, 1, identity);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    for (let read = 0; read < 1_000;) read += (await reader.next()).length;
    await managed(server.url, async (manager) => {
      for await (const { name } of manager.consumers.list(`${streamName}_0`)) await manager.consumers.delete(`${streamName}_0`, name);
    });
    await wal.append(0, Uint8Array.of(2));
    expect((await reader.next()).map(({ position }) => position)).toEqual([1_001]);
  });

  test('[L8] a server that freezes: the append is WalUnavailable in time; thawed, it goes on', { timeout: 40_000 }, async () => {
    const own = await startNats({ configText: '# private' });
    const wal = walOf({ url: own.url, timeoutMs: 500 });
    await wal.open();
    const { identity } = await wal.state(0);
    const reader = wal.read(0, 1, identity);
    await wal.append(0, Uint8Array.of(1));
    await own.pause();
    const startedMs = performance.now();
    await expect(wal.append(0, Uint8Array.of(2))).rejects.toBeInstanceOf(WalUnavailable);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    await own.resume();
    const seen: number[] = [];
    while (!seen.includes(2)) for (const { bytes } of await reader.next()) seen.push(bytes[0]!);
    expect(seen.slice(0, 2)).toEqual([1, 2]);
    await wal.close();
    await own.stop();
  });

  test('[L6] a full log says which setting bounds it', async () => {
    const wal = walOf({ bytesMax: 1_000_000 });
    await wal.open();
    const filling = (async () => {
      for (;;) await wal.append(0, new Uint8Array(100_000));
    })();
    await expect(filling).rejects.toThrow(/maximum bytes.*WEFT_LOG_BYTES_MAX; it is emptied as persistence gets on/);
  });

  test('[D1] a real NATS whose acknowledgements are weaker than promised is found out at the start, each weakness in a sentence', async () => {
    // One of this machine's, whose monitoring port is known.
    const weak = await startNats({ syncAlways: false, storeDir: temporaryFolder('weak') });
    const streamName = freshName();
    // Made by hand, before Weft came.
    await managed(weak.url, (manager) =>
      manager.streams.add({ name: `${streamName}_0`, subjects: ['weft.log.0.abc'], storage: StorageType.Memory, max_bytes: 1_000_000 }),
    );
    const options = { url: weak.url, bytesMax: 1_000_000, monitoringUrl: weak.monitoringUrl! };
    const inMemory = walOf({ ...options, streamName });
    await inMemory.open();
    expect(await inMemory.weaknesses()).toEqual([
      'NATS acknowledges before fsync: a power cut loses acknowledged edits; set jetstream { sync_interval: always }',
      `stored in memory: ${streamName}_0. A restart of NATS loses what was acknowledged; use file storage`,
      `one replica: ${streamName}_0. A lost disk loses what was acknowledged and is not yet in Postgres; production wants 3 (WEFT_LOG_REPLICAS)`,
    ]);
    const lazy = freshName();
    await managed(weak.url, (manager) =>
      manager.streams.add({ name: `${lazy}_0`, subjects: ['weft.log.0.def'], persist_mode: PersistMode.Async, max_bytes: 1_000_000 }),
    );
    const inBackground = walOf({ ...options, streamName: lazy });
    await inBackground.open();
    expect(await inBackground.weaknesses()).toContainEqual(
      expect.stringContaining(`written in the background (persist_mode: async): ${lazy}_0`),
    );
    await Promise.all([inMemory.close(), inBackground.close()]);
    await weak.stop();
  });

  test('[D1] weaknesses name what was not asked or is not kept', async () => {
    const varz = { jetstream: { config: { sync_always: true } } };
    const monitoring = createServer((_, response) => response.end(JSON.stringify(varz)));
    await new Promise<void>((resolve) => monitoring.listen(0, '127.0.0.1', resolve));
    const monitoringUrl = `http://127.0.0.1:${(monitoring.address() as AddressInfo).port}`;
    const weaknesses = async (options: Partial<JetStreamWalOptions>): Promise<string[]> => {
      const wal = walOf(options);
      await wal.open();
      return wal.weaknesses();
    };
    const oneReplica = expect.stringContaining('one replica');
    expect(await weaknesses({})).toEqual([expect.stringContaining('is not known'), oneReplica]);
    expect(await weaknesses({ declaredSyncAlways: true })).toEqual([oneReplica]);
    expect(await weaknesses({ monitoringUrl })).toEqual([oneReplica]);
    varz.jetstream.config.sync_always = false;
    expect(await weaknesses({ monitoringUrl, declaredSyncAlways: true })).toEqual([
      expect.stringContaining('acknowledges before fsync'),
      oneReplica,
    ]);
    await new Promise((resolve) => monitoring.close(resolve));
    expect(await weaknesses({ monitoringUrl })).toEqual([expect.stringContaining(monitoringUrl), oneReplica]);
  });
});

describe('three servers', () => {
  let cluster: NatsServer;
  beforeAll(async () => {
    cluster = await startNats({ cluster: 3 });
  });
  afterAll(() => cluster.stop());

  test(
    '[L8] with three replicas one server may die, whichever: appends and readers go on, nothing acknowledged is lost',
    { timeout: 120_000 },
    async () => {
      const wal = new JetStreamWal({
        url: cluster.url,
        name: 'test',
        logger,
        streamName: freshName(),
        bytesMax,
        replicas: 3,
        timeoutMs: 2_000,
      });
      await wal.open();
      const { identity } = await wal.state(0);
      expect(await wal.weaknesses()).toHaveLength(1);
      const reader = wal.read(0, 1, identity);
      const told = new Map<number, number>();
      const seen: { position: number; byte: number }[] = [];
      const readUpTo = async (position: number): Promise<void> => {
        while (seen.length < position)
          for (const record of await reader.next()) seen.push({ position: record.position, byte: record.bytes[0]! });
      };
      let byte = 0;
      const appendSome = async (): Promise<void> => {
        for (let i = 0; i < 20; i += 1) {
          byte = (byte + 1) % 256;
          for (;;) {
            try {
              told.set((await wal.append(0, Uint8Array.of(byte))).position, byte);
              break;
            } catch (error) {
              if (!(error instanceof WalUnavailable)) throw error;
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
          }
        }
        await readUpTo(Math.max(...told.keys()));
      };
      await appendSome();
      for (const server of cluster.servers) {
        await server.kill();
        await appendSome();
        await server.start();
        await appendSome();
      }
      const state = await wal.state(0);
      expect(state.identity).toBe(identity);
      await readUpTo(state.last);
      expect(seen.map(({ position }) => position)).toEqual(Array.from({ length: state.last }, (_, i) => i + 1));
      for (const [position, value] of told) expect(seen[position - 1]!.byte).toBe(value);
      await wal.close();
    },
  );
});
