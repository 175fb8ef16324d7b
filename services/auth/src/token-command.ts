/** `npm run token -- --name Ada --document 'notes/*' --role editor`: signs a token with the configured key and prints it. */
import { parseArgs } from 'node:util';

import { ConfigError } from '@weft/config';
import { ROLES, isRole } from '@weft/grants';

import { NAME_LENGTH_MAX, isText } from './claims.ts';
import { withCommandKeys } from './keys/command-keys.ts';
import { openAuthKeys } from './keys/open-keys.ts';
import { SigningKeyError } from './signing-key.ts';
import { signToken } from './token.ts';
import type { NewToken } from './token.ts';

const USAGE = `usage: npm run token -- --name <name> [--document <name or prefix*>]... [--role ${ROLES.join('|')}] [--id <id>] [--hours <number>]`;
const HOURS_DEFAULT = 12;

class UsageError extends Error {}

function parseCommand(args: string[]): { token: NewToken; hours: number } {
  const { values } = parseArgs({
    args,
    options: {
      name: { type: 'string' },
      document: { type: 'string', multiple: true, default: ['*'] },
      role: { type: 'string', default: 'editor' },
      id: { type: 'string' },
      hours: { type: 'string', default: String(HOURS_DEFAULT) },
    },
  });
  const { name, role, id = name } = values;
  const hours = Number(values.hours);
  if (!isText(name, NAME_LENGTH_MAX) || !isText(id, 255)) throw new UsageError(`--name must have 1 to ${NAME_LENGTH_MAX} characters`);
  if (!isRole(role)) throw new UsageError(`--role must be one of ${ROLES.join(', ')}`);
  if (!(hours > 0)) throw new UsageError('--hours must be a number above 0');
  return { token: { sub: id, name, documents: Object.fromEntries(values.document.map((pattern) => [pattern, role])) }, hours };
}

try {
  const { token, hours } = parseCommand(process.argv.slice(2));
  const lifetimeMs = hours * 3_600_000;
  const signed = await withCommandKeys(process.env, async (source, options) => {
    const key = await (await openAuthKeys(source, options)).signingUntil(Date.now() + lifetimeMs);
    return signToken(key, token, Date.now(), lifetimeMs);
  });
  process.stdout.write(`${signed.token}\n`);
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const usage = error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
  if (!usage && !(error instanceof ConfigError) && !(error instanceof SigningKeyError)) throw error;
  process.stderr.write(`${(error as Error).message}\n${usage ? `${USAGE}\n` : ''}`);
  process.exitCode = 1;
}
