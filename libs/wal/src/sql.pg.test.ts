import { createLogger } from '@weft/telemetry';
import { type PostgresServer, startPostgres } from '@weft/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { walContract } from './contract.test-suite.ts';
import { SqlWal } from './sql.ts';
import { WalReplaced, WalTrimmed, WalUnavailable } from './wal.ts';

const logger = createLogger({ service: 'wal-test', level: 'silent' });

async function sql(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

walContract('PostgreSQL', async () => {
  const server = await startPostgres({ private: true });
  return {
    freshLog: async () => {
      const url = await server.newDatabase();
      return {
        wal: (options) => new SqlWal({ url, logger, ...options }),
        wipe: async () => void (await sql(url, 'DROP TABLE weft_log, weft_log_slices')),
        backup: async () => {
          const { last, bytes } = (await sql(url, 'SELECT last, bytes FROM weft_log_slices')).rows[0] as { last: string; bytes: string };
          // Several statements in one query are one transaction: nobody sees it half done.
          return async (records) =>
            void (await sql(
              url,
              `UPDATE weft_log_slices SET last = ${last}, bytes = ${bytes};
               DELETE FROM weft_log WHERE position > ${last};
               UPDATE weft_log_slices SET last = last + ${records};
               INSERT INTO weft_log (slice, position, at, record)
               SELECT 0, ${last} + i, clock_timestamp(), convert_to('other ' || i, 'UTF8') FROM generate_series(1, ${records}) i`,
            ));
        },
      };
    },
    kill: () => server.kill(),
    startAgain: () => server.start(),
    end: () => server.stop(),
  };
});

describe('the log in PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const withWal = async (work: (wal: SqlWal, url: string) => Promise<void>): Promise<void> => {
    const url = await server.newDatabase();
    const wal = new SqlWal({ url, logger, timeoutMs: 2_000 });
    try {
      await wal.open();
      await work(wal, url);
    } finally {
      await wal.close();
    }
  };

  test('[I1] a slice whose row alone was lost does not inherit the old records', () =>
    withWal(async (wal, url) => {
      const { identity } = await wal.state(0);
      for (let i = 0; i < 3; i += 1) await wal.append(0, Uint8Array.of(1));
      await sql(url, 'DELETE FROM weft_log_slices');
      await expect(wal.append(0, Uint8Array.of(2))).rejects.toBeInstanceOf(WalUnavailable);
      const again = await wal.append(0, Uint8Array.of(2));
      expect(again.position).toBe(1);
      expect(again.identity).not.toBe(identity);
      const records = await wal.read(0, 1, again.identity).next();
      expect(records.map(({ bytes }) => [...bytes])).toEqual([[2]]);
    }));

  test('[L4] a hole somebody cut into the table is WalTrimmed, not skipped', () =>
    withWal(async (wal, url) => {
      const { identity } = await wal.state(0);
      for (let i = 0; i < 5; i += 1) await wal.append(0, Uint8Array.of(i));
      await sql(url, 'DELETE FROM weft_log WHERE position IN (2, 3)');
      const reader = wal.read(0, 2, identity);
      await expect(reader.next()).rejects.toMatchObject({ first: 4 });
      await expect(reader.next()).rejects.toBeInstanceOf(WalTrimmed);
      const whole = wal.read(0, 1, identity);
      expect((await whole.next()).map(({ position }) => position)).toEqual([1]);
      await expect(whole.next()).rejects.toMatchObject({ first: 4 });
    }));

  test('[I2] a backup put back, with fewer records: its readers are told', () =>
    withWal(async (wal, url) => {
      const { identity } = await wal.state(0);
      for (let i = 0; i < 5; i += 1) await wal.append(0, Uint8Array.of(i));
      const reader = wal.read(0, 1, identity);
      await reader.next();
      await sql(url, 'DELETE FROM weft_log WHERE position > 3; UPDATE weft_log_slices SET last = 3');
      await expect(reader.next()).rejects.toBeInstanceOf(WalReplaced);
    }));

  test('[L3] a reader whose listening connection was cut, and whose notice so was lost, still gets what comes', () =>
    withWal(async (wal, url) => {
      const { identity } = await wal.state(0);
      const reader = wal.read(0, 1, identity);
      await wal.append(0, Uint8Array.of(1));
      await reader.next();
      await sql(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weft-log-listener' AND datname = current_database()`,
      );
      await wal.append(0, Uint8Array.of(2));
      expect((await reader.next()).map(({ position }) => position)).toEqual([2]);
    }));

  test('[L8] a statement that hangs is given up in time, and the log works when it is over', () =>
    withWal(async (wal, url) => {
      const client = new pg.Client(url);
      await client.connect();
      await client.query('BEGIN; SELECT FROM weft_log_slices FOR UPDATE');
      const startedMs = performance.now();
      await expect(wal.append(0, Uint8Array.of(1))).rejects.toBeInstanceOf(WalUnavailable);
      expect(performance.now() - startedMs).toBeLessThan(4_000);
      await client.query('ROLLBACK');
      await client.end();
      expect((await wal.append(0, Uint8Array.of(1))).position).toBeGreaterThan(0);
    }));

  test('[D1] commits wait for fsync even where the database says otherwise', async () => {
    const url = await server.newDatabase();
    await sql(url, `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$`);
    expect((await sql(url, 'SHOW synchronous_commit')).rows[0].synchronous_commit).toBe('off');
    const wal = new SqlWal({ url, logger });
    await wal.open();
    expect(await wal.weaknesses()).toEqual([]);
    await wal.close();
  });
});

test('[D1] fsync=off and full_page_writes=off are named', async () => {
  const server = await startPostgres({ settings: { fsync: 'off', full_page_writes: 'off' } });
  const wal = new SqlWal({ url: await server.newDatabase(), logger });
  await wal.open();
  expect(await wal.weaknesses()).toEqual([expect.stringContaining('fsync=off'), expect.stringContaining('full_page_writes=off')]);
  await wal.close();
  await server.stop();
});
