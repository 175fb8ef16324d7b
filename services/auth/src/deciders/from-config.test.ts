import { ConfigError, readConfig } from '@weft/config';
import { expect, test } from 'vitest';

import { deciderConfigOf, deciderSettings } from './from-config.ts';
import type { DECIDER_KINDS } from './from-config.ts';

const read = (kind: (typeof DECIDER_KINDS)[number], env: Record<string, string>) => deciderConfigOf(kind, readConfig(deciderSettings, env));
const CLAIMS = {
  WEFT_AUTH_JWKS_URL: 'https://issuer.example/jwks',
  WEFT_AUTH_ISSUER: 'https://issuer.example',
  WEFT_AUTH_AUDIENCE: 'weft',
};
const WEBHOOK = { WEFT_AUTH_WEBHOOK_URL: 'http://backend/weft', WEFT_AUTH_WEBHOOK_SECRET: '0123456789abcdef' };

test('each way to decide gets what it needs', () => {
  expect(read('tokens', {})).toEqual({ kind: 'tokens' });
  expect(read('claims', CLAIMS)).toEqual({
    kind: 'claims',
    claims: { jwksUrl: 'https://issuer.example/jwks', issuer: 'https://issuer.example', audience: 'weft', documentsClaim: 'documents' },
  });
  expect(read('claims', { ...CLAIMS, WEFT_AUTH_DOCUMENTS_CLAIM: 'rights' })).toMatchObject({ claims: { documentsClaim: 'rights' } });
  expect(read('webhook', WEBHOOK)).toEqual({ kind: 'webhook', webhook: { url: 'http://backend/weft', secret: '0123456789abcdef' } });
});

test.each([
  ['claims', CLAIMS],
  ['webhook', WEBHOOK],
] as const)('%s says which of its settings is missing', (kind, all: Record<string, string>) => {
  for (const left of Object.keys(all)) {
    const rest = Object.fromEntries(Object.entries(all).filter(([name]) => name !== left));
    expect(() => read(kind, rest)).toThrow(new RegExp(`^${left}: nothing was given while WEFT_AUTH is ${kind}; expected `));
  }
});

test('a wrong value is refused with what is expected, and no secret is shown', () => {
  expect(() => read('webhook', { ...WEBHOOK, WEFT_AUTH_WEBHOOK_SECRET: 'hunter2' })).toThrow(
    /^WEFT_AUTH_WEBHOOK_SECRET: "\(redacted\)" was given/,
  );
  expect(() => read('webhook', { ...WEBHOOK, WEFT_AUTH_WEBHOOK_URL: 'ftp://backend' })).toThrow(ConfigError);
  for (const [kind, env] of [
    ['webhook', { ...WEBHOOK, WEFT_AUTH_WEBHOOK_URL: 'http://me:hunter2@backend/' }],
    ['claims', { ...CLAIMS, WEFT_AUTH_JWKS_URL: 'http://me:hunter2@issuer/' }],
  ] as const) {
    expect(() => read(kind, env)).toThrow(/: a URL with a user name or password was given; expected one without$/);
  }
});
