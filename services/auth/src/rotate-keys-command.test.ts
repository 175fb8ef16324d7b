import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { openAuthKeys } from './keys/open-keys.ts';
import { generateSigningKeyPem } from './signing-key.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'weft-rotate-'));
});
afterEach(() => rm(data, { recursive: true, force: true }));

const command = (env: Record<string, string>, ...args: string[]) =>
  promisify(execFile)(
    process.execPath,
    ['--conditions=weft-source', '--import', 'tsx', join(import.meta.dirname, 'rotate-keys-command.ts'), ...args],
    { env: { ...process.env, WEFT_DATA: data, ...env } },
  );
const keysNow = () =>
  openAuthKeys(
    { kind: 'file', file: join(data, 'auth-key.pem') },
    { logger: createLogger({ service: 'auth', level: 'silent' }), now: Date.now, rotationMs: undefined, tokenLifetimeMs: 1000 },
  );

test('[A23] [A24] npm run rotate-keys makes the next key; with --revoke it is the only one, at once', async () => {
  const before = (await keysNow()).signing().kid;
  expect((await command({})).stdout).toMatch(/signs from 20.* on\. Tokens signed so far stay good\.\n$/);
  expect((await keysNow()).publicKeys()).toHaveLength(2);
  expect((await keysNow()).signing().kid).toBe(before);
  expect((await command({}, '--revoke')).stdout).toContain('All tokens signed so far are refused.');
  expect((await keysNow()).publicKeys()).toHaveLength(1);
  expect((await keysNow()).signing().kid).not.toBe(before);
}, 60_000);

test('[A20] given keys are not rotated, and the command says what to do instead', async () => {
  const pem = await generateSigningKeyPem();
  await expect(command({ WEFT_AUTH_KEY: pem })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^WEFT_AUTH_KEY is given.*\n$/),
  });
}, 60_000);
