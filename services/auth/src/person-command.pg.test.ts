import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Database, IdentityStore } from '@weft/store';
import { startPostgres } from '@weft/testkit';
import { expect, test } from 'vitest';

test('[AC11] npm run person makes an admin, says who somebody is, and refuses what it does not understand', async () => {
  const postgres = await startPostgres();
  const url = await postgres.newDatabase();
  const database = new Database({ url, applicationName: 'test' });
  await database.migrate();
  const store = new IdentityStore(database);
  await store.addUser({ id: 'u1', name: 'Ada', nameKey: 'ada', passwordHash: 'x' }, 0);
  const command = (...args: string[]) =>
    promisify(execFile)(
      process.execPath,
      ['--conditions=weft-source', '--import', 'tsx', join(import.meta.dirname, 'person-command.ts'), ...args],
      { env: { ...process.env, WEFT_POSTGRES_URL: url } },
    );
  expect((await command('--name', 'ada')).stdout).toBe('Ada (u1): user\n');
  expect((await command('--name', ' ADA ', '--admin', 'yes')).stdout).toBe('Ada (u1): admin\n');
  expect((await store.findUser('u1'))?.admin).toBe(true);
  expect(await store.readAudit({ limit: 5 })).toMatchObject([{ event: 'admin-made', subject: 'u1' }]);
  await expect(command('--name', 'nobody', '--admin', 'yes')).rejects.toMatchObject({ stderr: expect.stringContaining('there is nobody') });
  await expect(command('--admin', 'perhaps')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('usage: npm run person') });
  await database.close();
  await postgres.stop();
}, 60_000);
