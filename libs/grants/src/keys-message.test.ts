import { expect, test } from 'vitest';

import { MalformedAuthMessage } from './json-message.ts';
import { decodeKeys, encodeKeys } from './keys-message.ts';

const key = { kty: 'OKP', crv: 'Ed25519', x: 'eHg', kid: 'k1', alg: 'EdDSA', use: 'sig' } as const;
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test('[G14] keys come back as they were, and a private half that slipped in does not travel', () => {
  expect(decodeKeys(encodeKeys([key, { ...key, kid: 'k2' }]))).toEqual([key, { ...key, kid: 'k2' }]);
  expect(new TextDecoder().decode(encodeKeys([{ ...key, d: 'secret' } as typeof key]))).not.toContain('secret');
});

test.each([
  {},
  { keys: 'k' },
  { keys: [null] },
  { keys: [{ ...key, kid: '' }] },
  { keys: [{ ...key, kid: 7 }] },
  { keys: [{ ...key, x: undefined }] },
  { keys: [{ ...key, alg: 'HS256' }] },
  { keys: [{ ...key, kty: 'oct', k: 'c2VjcmV0' }] },
  { keys: [{ ...key, crv: 'Ed448' }] },
  { keys: [{ ...key, use: 'enc' }] },
  { keys: Array.from({ length: 101 }, () => key) },
])('[G14] %j are no keys', (value) => {
  expect(() => decodeKeys(bytes(value))).toThrow(MalformedAuthMessage);
});
