import { ConfigError } from '@weft/config';
import { describe, expect, test } from 'vitest';

import { readStandaloneConfig } from './config.ts';

test('with nothing set it is on loopback, and guests edit', () => {
  const config = readStandaloneConfig({});
  expect(config).toMatchObject({ host: '127.0.0.1', port: 8080, log: 'pretty', auth: { guests: 'edit', devSignIn: true } });
  expect(config.postgresFolder).toMatch(/\/data\/postgres$/);
  expect(config.keySource).toMatchObject({ kind: 'file' });
});

test('Postgres syncs unless a test asks it by name not to', () => {
  expect(readStandaloneConfig({}).postgresFsync).toBe(true);
  expect(readStandaloneConfig({ WEFT_TEST_ONLY_FSYNC_OFF: 'true' }).postgresFsync).toBe(false);
});

test('WEFT_AUTH=required asks everybody for a token, also on loopback', () => {
  expect(readStandaloneConfig({ WEFT_AUTH: 'required' }).auth).toMatchObject({ guests: 'none', devSignIn: false });
  expect(readStandaloneConfig({ WEFT_AUTH: 'required', WEFT_AUTH_DEV_SIGN_IN: '1' }).auth).toMatchObject({
    guests: 'none',
    devSignIn: true,
  });
});

test('WEFT_AUTH=builtin: accounts of its own, nobody without one', () => {
  expect(readStandaloneConfig({ WEFT_AUTH: 'builtin', WEFT_HOST: '0.0.0.0', WEFT_AUTH_SIGN_UP: 'closed' })).toMatchObject({
    auth: { guests: 'none', devSignIn: false, decider: { kind: 'builtin' } },
    builtin: { guests: 'none', signUp: false },
  });
  expect(readStandaloneConfig({ WEFT_AUTH: 'required' })).toMatchObject({ auth: { decider: { kind: 'tokens' } }, builtin: undefined });
});

test('WEFT_AUTH=claims and webhook: somebody else says, and what they need is asked for', () => {
  const webhook = {
    WEFT_AUTH: 'webhook',
    WEFT_AUTH_WEBHOOK_URL: 'http://127.0.0.1:8000/weft',
    WEFT_AUTH_WEBHOOK_SECRET: '0123456789abcdef',
  };
  expect(readStandaloneConfig(webhook).auth).toMatchObject({
    guests: 'none',
    devSignIn: false,
    decider: { kind: 'webhook', webhook: { url: 'http://127.0.0.1:8000/weft' } },
  });
  expect(() => readStandaloneConfig({ WEFT_AUTH: 'claims' })).toThrow(/^WEFT_AUTH_JWKS_URL: nothing was given while WEFT_AUTH is claims/);
  expect(readStandaloneConfig({ WEFT_AUTH: 'tokens', WEFT_HOST: '0.0.0.0' }).auth).toMatchObject({
    guests: 'none',
    decider: { kind: 'tokens' },
  });
});

describe('away from loopback', () => {
  test.each(['0.0.0.0', '::', '192.168.1.7', 'example.org', '127.evil.example'])('%s is refused without WEFT_AUTH', (host) => {
    expect(() => readStandaloneConfig({ WEFT_HOST: host })).toThrow(ConfigError);
    expect(readStandaloneConfig({ WEFT_HOST: host, WEFT_AUTH: 'required' }).host).toBe(host);
  });

  test('a development sign-in is refused: it would let anybody in', () => {
    const env = { WEFT_HOST: '0.0.0.0', WEFT_AUTH: 'required', WEFT_AUTH_DEV_SIGN_IN: 'true' };
    expect(() => readStandaloneConfig(env)).toThrow(/^WEFT_AUTH_DEV_SIGN_IN: .+; expected /);
  });

  test('loopback has more than one spelling', () => {
    for (const host of ['localhost', '::1', '127.0.0.2']) expect(readStandaloneConfig({ WEFT_HOST: host }).host).toBe(host);
  });
});

test('a wrong WEFT_AUTH is not taken for none', () => {
  expect(() => readStandaloneConfig({ WEFT_AUTH: 'yes' })).toThrow(
    /^WEFT_AUTH: "yes" was given; expected one of required, tokens, builtin, claims, webhook$/,
  );
});
