import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Database } from './database.ts';
import { runMigrations, SchemaTooNew } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { Store } from './postgres-store.ts';
import { StoreUnavailable } from './store.ts';
import { useDatabases } from './test-database.test-data.ts';

const newDatabase = useDatabases();

test('[ST10] many that start at once migrate once', async () => {
  const { open, database } = await newDatabase();
  await database.query('DROP SCHEMA weft CASCADE');
  const done = await Promise.all(Array.from({ length: 4 }, () => open().migrate()));
  expect(done.flat()).toEqual(migrations.map(({ name }) => name));
  expect(await open().migrate()).toEqual([]);
});

test('[ST10] a newer schema is borne, a newer breaking one refused with a sentence', async () => {
  const { database } = await newDatabase();
  const add = (number: number, name: string, breaking: boolean) =>
    database.query('INSERT INTO weft.migrations (number, name, breaking) VALUES ($1, $2, $3)', [number, name, breaking]);
  await add(900, 'harmless', false);
  expect(await database.migrate()).toEqual([]);
  await add(901, 'other-rows', true);
  await expect(database.migrate()).rejects.toThrow(SchemaTooNew);
  await expect(database.migrate()).rejects.toThrow(/newer Weft \(migration 901, other-rows\).*start that newer version/);
});

test('[ST10] a migration that fails leaves nothing behind', async () => {
  const { database } = await newDatabase();
  const failing = [
    ...migrations,
    { number: migrations.length + 1, name: 'half', breaking: false, sql: 'CREATE TABLE weft.half (x int); SELECT 1 / 0' },
  ];
  await expect(database.transaction((transaction) => runMigrations(transaction, failing))).rejects.toThrow('division by zero');
  const { rows } = await database.query(`SELECT to_regclass('weft.half') AS half, max(number) AS number FROM weft.migrations`);
  expect(rows).toEqual([{ half: null, number: migrations.length }]);
});

test('[ST12] a commit waits for the disk even where the server says it need not', async () => {
  const { database, open } = await newDatabase();
  await database.query(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`);
  const fresh = open();
  expect((await fresh.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]);
  const said = await fresh.transaction(async (transaction) => (await transaction.query('SHOW synchronous_commit')).rows);
  expect(said).toEqual([{ synchronous_commit: 'on' }]);
});

test('[ST9] nobody listening is StoreUnavailable', async () => {
  const database = new Database({ url: 'postgres://nobody@127.0.0.1:1/none', applicationName: 'test' });
  await expect(new Store(database).floor(0)).rejects.toThrow(StoreUnavailable);
  await database.close();
});

test('[ST9] a server that accepts and says nothing is StoreUnavailable in bounded time', async () => {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as { port: number };
  const database = new Database({ url: `postgres://x@127.0.0.1:${port}/x`, applicationName: 'test', connectTimeoutMs: 200 });
  await expect(database.query('SELECT 1')).rejects.toThrow(StoreUnavailable);
  await database.close();
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test('[ST9] a statement over its time and a connection shot down are StoreUnavailable, and the next call works', async () => {
  const { open } = await newDatabase();
  const database = open({ statementTimeoutMs: 100, connectionsMax: 1 });
  await expect(database.query('SELECT pg_sleep(5)')).rejects.toThrow(StoreUnavailable);
  await expect(database.query('SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toThrow(StoreUnavailable);
  await expect(database.copyOut('SELECT pg_terminate_backend(pg_backend_pid())', () => undefined)).rejects.toThrow(StoreUnavailable);
  expect((await database.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('[ST9] a mistake of ours passes through, and the connection is used again', async () => {
  const { open } = await newDatabase();
  const database = open({ connectionsMax: 1 });
  const pid = async () => (await database.query('SELECT pg_backend_pid() AS pid')).rows[0]?.['pid'];
  const before = await pid();
  await expect(database.query('SELEC 1')).rejects.toThrow('syntax error');
  await expect(database.copyOut('SELEC 1', () => undefined)).rejects.toThrow('syntax error');
  await expect(database.transaction((transaction) => transaction.query('SELEC 1'))).rejects.toThrow('syntax error');
  const failingReader = database.copyOut('SELECT generate_series(1, 100)', () => {
    throw new Error('from the reader of rows');
  });
  await expect(failingReader).rejects.toThrow('from the reader of rows');
  expect(await pid()).toBe(before);
});

test('[ST13] more calls than may wait are refused', async () => {
  const { open } = await newDatabase();
  const database = open({ connectionsMax: 1, waitingMax: 2 });
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => database.query('SELECT pg_sleep(0.05)')));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(StoreUnavailable);
});

test('a Postgres that does not sync says so', async () => {
  const { database } = await newDatabase();
  const { rows } = await database.query('SHOW fsync');
  const weaknesses = await database.weaknesses();
  expect(weaknesses.some((one) => one.includes('fsync=off'))).toBe(rows[0]?.['fsync'] === 'off');
});
