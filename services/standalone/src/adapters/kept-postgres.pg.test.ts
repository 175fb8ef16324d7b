import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Database } from '@weft/store';
import { createLogger } from '@weft/telemetry';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { keepPostgres } from './kept-postgres.ts';
import type { KeptPostgres } from './kept-postgres.ts';

let folder: string;
let postgres: KeptPostgres;
let said: (words: string) => void = () => undefined;
const logger = createLogger({ service: 'postgres', stream: { write: (line) => said(line) } });
const heard = (words: string) =>
  new Promise<void>((resolve) => {
    said = (line) => line.includes(words) && resolve();
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-kept-'));
  postgres = await keepPostgres(folder, { logger, postgresLogger: logger });
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

test('Postgres that somebody killed comes back at the same address, with everything committed', async () => {
  const database = new Database({ url: postgres.url, applicationName: 'test' });
  await database.query('CREATE TABLE kept (word text)');
  await database.query(`INSERT INTO kept VALUES ('here')`);
  const isBack = heard('Postgres is back');
  const [pid] = (await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGKILL');
  await isBack;
  await database.close();
  const again = new Database({ url: postgres.url, applicationName: 'test' });
  expect((await again.query('SELECT word FROM kept')).rows).toEqual([{ word: 'here' }]);
  await again.close();
});
