import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { NatsBus } from '@weft/bus';
import { AUTH_KEYS_SUBJECT, AuthClient, decodeKeys } from '@weft/grants';
import { Database, SigningKeyTable } from '@weft/store';
import { Metrics, createLogger } from '@weft/telemetry';
import { startNats, startPostgres } from '@weft/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { AuthProcess } from '../auth-process.ts';
import { readAuthConfig } from '../config.ts';
import { signToken } from '../token.ts';
import { openRotating } from './open-keys.ts';

const SOURCE = ['--conditions=weft-source', '--import', 'tsx'];
const logger = createLogger({ service: 'auth', level: 'silent' });
let nats: Awaited<ReturnType<typeof startNats>>;
let postgres: Awaited<ReturnType<typeof startPostgres>>;
beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
}, 60_000);
afterAll(() => Promise.all([nats.stop(), postgres.stop()]));

test('[A21] [A24] auth processes that start at once on an empty Postgres sign with one key, and a revocation reaches them all', async () => {
  const url = await postgres.newDatabase();
  const env = {
    WEFT_NATS_URL: nats.url,
    WEFT_POSTGRES_URL: url,
    WEFT_AUTH_HOST: '127.0.0.1',
    WEFT_AUTH_PORT: '0',
    WEFT_OPS_HOST: '127.0.0.1',
    WEFT_OPS_PORT: '0',
  };
  const processes = Array.from({ length: 3 }, () => new AuthProcess(readAuthConfig(env), logger, new Metrics()));
  await Promise.all(processes.map((one) => one.run()));
  const bus = await NatsBus.connect({ url: nats.url, name: 'test', logger });
  const database = new Database({ url, applicationName: 'test' });
  const keys = await openRotating(
    { kind: 'postgres' },
    { table: new SigningKeyTable(database), bus, logger, now: Date.now, rotationMs: undefined, tokenLifetimeMs: 60_000 },
  );

  const askedKeys = await Promise.all(
    Array.from({ length: 30 }, async () => decodeKeys(await bus.request(AUTH_KEYS_SUBJECT, new Uint8Array(), { timeoutMs: 5000 }))),
  );
  expect(new Set(askedKeys.map((all) => all.map(({ kid }) => kid).join()))).toEqual(new Set([keys.signing().kid]));

  const sign = async () =>
    (await signToken(keys.signing(), { sub: 'u1', name: 'Ada', documents: { '*': 'viewer' } }, Date.now(), 60_000)).token;
  /** Each question goes to one of the three; a client that is new each time keeps nothing. */
  const asked = async (token: string) => {
    const decisions = Array.from({ length: 30 }, (_, index) => new AuthClient(bus, { timeoutMs: 5000 }).check(token, `plan-${index}`));
    return (await Promise.all(decisions)).filter(({ allowed }) => allowed).length;
  };
  const before = await sign();
  expect(await asked(before)).toBe(30);
  await keys.revokeAll();
  await expect.poll(() => asked(before), { timeout: 20_000 }).toBe(0);
  const after = await sign();
  await expect.poll(() => asked(after), { timeout: 20_000 }).toBe(30);

  await promisify(execFile)(process.execPath, [...SOURCE, join(import.meta.dirname, '../rotate-keys-command.ts'), '--revoke'], {
    env: { ...process.env, WEFT_NATS_URL: nats.url, WEFT_POSTGRES_URL: url },
  });
  // Less than the 30 s after which they would read it without a word.
  await expect.poll(() => asked(after), { timeout: 15_000 }).toBe(0);

  await Promise.all(processes.map((one) => one.stop()));
  await Promise.all([bus.close(), database.close()]);
}, 120_000);
