/** `npm run person -- --name ada --admin yes`: what the operator does with an account (WEFT_AUTH=builtin), in the tables at WEFT_POSTGRES_URL. */
import { parseArgs } from 'node:util';

import { ConfigError, postgresUrlSetting, readConfig } from '@weft/config';
import { Database, IdentityStore } from '@weft/store';

import { accountKey } from './accounts/person-names.ts';

const USAGE = 'usage: npm run person -- --name <user name or e-mail address> [--admin yes|no]';

class UsageError extends Error {}

function parseCommand(args: string[]): { name: string; admin: boolean | undefined } {
  const { values } = parseArgs({ args, options: { name: { type: 'string' }, admin: { type: 'string' } } });
  const { name, admin } = values;
  if (name === undefined || name.trim() === '') throw new UsageError('--name is missing');
  if (admin !== undefined && admin !== 'yes' && admin !== 'no') throw new UsageError(`--admin "${admin}" was given; expected yes or no`);
  return { name, admin: admin === undefined ? undefined : admin === 'yes' };
}

async function change(store: IdentityStore, name: string, admin: boolean | undefined): Promise<string> {
  const user = await store.findUserByKey(accountKey(name));
  if (user === undefined) throw new UsageError(`there is nobody of the name or address "${name}"`);
  if (admin !== undefined && admin !== user.admin) {
    await store.setAdmin(user.id, admin);
    const event = admin ? 'admin-made' : 'admin-unmade';
    await store.appendAudit([{ atMs: Date.now(), event, subject: user.id, detail: 'by the operator, npm run person' }]);
  }
  return `${user.name} (${user.id}): ${(admin ?? user.admin) ? 'admin' : 'user'}${user.disabled ? ', disabled' : ''}`;
}

try {
  const { name, admin } = parseCommand(process.argv.slice(2));
  const { url } = readConfig({ url: postgresUrlSetting }, process.env);
  const database = new Database({ url, applicationName: 'weft-person' });
  try {
    process.stdout.write(`${await change(new IdentityStore(database), name, admin)}\n`);
  } finally {
    await database.close();
  }
} catch (error) {
  const isUsage =
    error instanceof UsageError || (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  if (!isUsage && !(error instanceof ConfigError)) throw error;
  process.stderr.write(`${(error as Error).message}\n${isUsage ? `${USAGE}\n` : ''}`);
  process.exitCode = 1;
}
