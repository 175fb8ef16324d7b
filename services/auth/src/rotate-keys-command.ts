/** `npm run rotate-keys [-- --revoke]`: a new signing key; with `--revoke` at once and instead of all others. Processes that run read it within 30 s. */
import { parseArgs } from 'node:util';

import { ConfigError } from '@weft/config';

import { SigningKeyError } from './signing-key.ts';
import { withCommandKeys } from './keys/command-keys.ts';
import { openRotating } from './keys/open-keys.ts';

const USAGE = 'usage: npm run rotate-keys [-- --revoke]';

try {
  const { values } = parseArgs({ options: { revoke: { type: 'boolean', default: false } } });
  const { kid, signsFromMs } = await withCommandKeys(process.env, async (source, options) => {
    const keys = await openRotating(source, options);
    return values.revoke ? keys.revokeAll() : keys.rotate();
  });
  const rest = values.revoke ? 'All tokens signed so far are refused.' : 'Tokens signed so far stay good.';
  process.stdout.write(`Key ${kid} signs from ${new Date(signsFromMs).toISOString()} on. ${rest}\n`);
} catch (error) {
  const isUsage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (!isUsage && !(error instanceof ConfigError) && !(error instanceof SigningKeyError)) throw error;
  process.stderr.write(`${(error as Error).message}\n${isUsage ? `${USAGE}\n` : ''}`);
  process.exitCode = 1;
}
