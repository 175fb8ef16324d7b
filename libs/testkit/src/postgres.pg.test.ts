import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '@weft/embedded-postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, temporaryFolder, type PostgresServer } from './index.ts';

let own: PostgresServer;
beforeAll(async () => {
  own = await startPostgres({ private: true });
});
afterAll(() => own.stop());

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 300 });
  client.on('error', () => 'the server went away: expected here');
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('[TK2] the shared server gives everyone an empty database', async () => {
  const shared = await startPostgres();
  const [one, other] = [await shared.newDatabase(), await shared.newDatabase()];
  await ask(one, 'CREATE TABLE t (n int)');
  await expect(ask(other, 'SELECT * FROM t')).rejects.toThrow('does not exist');
  expect(() => shared.kill()).toThrow('private: true');
});

test('[TK3] rows survive stop and kill, on the same URL', async () => {
  const url = await own.newDatabase();
  await ask(url, 'CREATE TABLE t (how text)');
  for (const end of ['stop', 'kill'] as const) {
    await ask(url, `INSERT INTO t VALUES ('${end}')`);
    await own[end]();
    await expect(ask(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await own.start();
  }
  expect(await ask(url, 'SELECT how FROM t')).toEqual([{ how: 'stop' }, { how: 'kill' }]);
});

test('[TK4] paused, it is silent, for open connections too; resumed, it answers', async () => {
  const client = new Client({ connectionString: own.url });
  await client.connect();
  await client.query('SELECT 1');
  await own.pause();
  const answer = client.query('SELECT 1').then(() => 'answered');
  expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 100, 'silent'))])).toBe('silent');
  await expect(ask(own.url, 'SELECT 1')).rejects.toThrow('timeout');
  await own.resume();
  expect(await answer).toBe('answered');
  await client.end();
});

test('[TK3] in a given folder, and kill leaves no backend that could still answer', async () => {
  const folder = temporaryFolder('given-postgres');
  const given = await startPostgres({ folder });
  try {
    const client = new Client({ connectionString: given.url });
    client.on('error', () => 'the server went away: expected here');
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    // Busy in a place where it would not look after its postmaster for a long time.
    const answer = client.query('SELECT pg_sleep(20)').then(
      () => 'answered',
      () => 'refused',
    );
    await given.kill();
    expect(identityOf(rows[0]!.pid)).toBeUndefined();
    expect(await answer).toBe('refused');
    expect(existsSync(join(folder, 'data', 'PG_VERSION'))).toBe(true);
  } finally {
    await given.kill();
  }
});
