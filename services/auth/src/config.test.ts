import { ConfigError } from '@weft/config';
import { expect, test } from 'vitest';

import { readAuthConfig, readKeySource } from './config.ts';

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

test('the token command takes the given key, else the kept one', () => {
  expect(readKeySource({ WEFT_AUTH_KEY: 'pem' })).toEqual({ kind: 'given', text: 'pem' });
  expect(readKeySource({ WEFT_DATA: '/d' })).toEqual({ kind: 'file', file: '/d/auth-key.pem' });
});
