import { ConfigError } from '@weft/config';
import { expect, test } from 'vitest';

import { readAuthConfig, readKeyCommandConfig } from './config.ts';

const NATS = { WEFT_NATS_URL: 'nats://n' };

test('a cluster needs a key, a developer does not', () => {
  expect(() => readAuthConfig({ ...NATS })).toThrow(ConfigError);
  expect(readAuthConfig({ ...NATS, WEFT_AUTH_KEY: 'pem' })).toMatchObject({
    keySource: { kind: 'given', text: 'pem' },
    guests: 'none',
    devSignIn: false,
  });
  expect(readAuthConfig({ ...NATS, WEFT_AUTH_DEV_SIGN_IN: '1', WEFT_DATA: '/d' }).keySource).toEqual({
    kind: 'file',
    file: '/d/auth-key.pem',
  });
});

test('keys are the given ones, else those in Postgres, else those in the data folder', () => {
  const url = 'postgres://h/d';
  expect(readKeyCommandConfig({ WEFT_AUTH_KEY: 'pem', WEFT_POSTGRES_URL: url }).keySource).toEqual({ kind: 'given', text: 'pem' });
  expect(readKeyCommandConfig({ WEFT_POSTGRES_URL: url })).toMatchObject({ keySource: { kind: 'postgres' }, postgresUrl: url });
  expect(readKeyCommandConfig({ WEFT_DATA: '/d' }).keySource).toEqual({ kind: 'file', file: '/d/auth-key.pem' });
  expect(readAuthConfig({ ...NATS, WEFT_POSTGRES_URL: url }).keySource).toEqual({ kind: 'postgres' });
});

test('builtin needs Postgres and Redis, and says which is missing', () => {
  const env = { ...NATS, WEFT_AUTH: 'builtin', WEFT_AUTH_KEY: 'pem' };
  const redis = { WEFT_REDIS_URL: 'redis://r' };
  const postgres = { WEFT_POSTGRES_URL: 'postgres://p/d' };
  expect(() => readAuthConfig({ ...env, ...redis })).toThrow(/^WEFT_POSTGRES_URL: .*WEFT_AUTH is builtin/);
  expect(() => readAuthConfig({ ...env, ...postgres })).toThrow(/^WEFT_REDIS_URL: .*WEFT_AUTH is builtin/);
  expect(readAuthConfig({ ...env, ...redis, ...postgres })).toMatchObject({
    decider: { kind: 'builtin' },
    signUp: true,
    sessionLifetimeMs: 30 * 86_400_000,
  });
  expect(readAuthConfig({ ...env, ...redis, ...postgres, WEFT_AUTH_SIGN_UP: 'closed' }).signUp).toBe(false);
});
