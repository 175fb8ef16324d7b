import { generateKeyPairSync } from 'node:crypto';

import { expect, test } from 'vitest';

import { SigningKeyError, generateSigningKeyPem, importSigningKey } from './signing-key.ts';

test('a PEM gives the same kid every time, and a public half without the private one', async () => {
  const pem = await generateSigningKeyPem();
  const [one, two] = [await importSigningKey(pem), await importSigningKey(`\n${pem}\n`)];
  expect(one.kid).toBe(two.kid);
  expect(one.publicJwk).toEqual({ kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid: one.kid, alg: 'EdDSA', use: 'sig' });
});

test('a JWK is read, and keeps its own kid', async () => {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  expect((await importSigningKey(JSON.stringify({ ...jwk, kid: 'mine' }))).kid).toBe('mine');
  expect((await importSigningKey(JSON.stringify(jwk))).kid).toMatch(/^[\w-]{43}$/);
});

test('[A7] what is no Ed25519 private key is refused without being quoted', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const publicJwk = JSON.stringify(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }));
  for (const text of ['', 'hunter2', rsa, '{"kty":"OKP"', publicJwk, '{"kty":"oct","k":"aHVudGVyMg"}']) {
    const error = await importSigningKey(text).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SigningKeyError);
    expect(String(error)).not.toContain('hunter2');
    expect((error as Error).cause).toBeUndefined();
  }
});
