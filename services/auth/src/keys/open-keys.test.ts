import { generateKeyPairSync } from 'node:crypto';

import { createLogger } from '@weft/telemetry';
import { expect, test } from 'vitest';

import { SigningKeyError, generateSigningKeyPem, importSigningKey } from '../signing-key.ts';
import { openAuthKeys, openRotating } from './open-keys.ts';

const options = {
  logger: createLogger({ service: 'auth', level: 'silent' }),
  now: Date.now,
  rotationMs: undefined,
  tokenLifetimeMs: 60_000,
};
const open = (text: string) => openAuthKeys({ kind: 'given', text }, options);

test('[A20] of several given keys the first signs and all verify, as PEMs or as a JWKS', async () => {
  const pems = [await generateSigningKeyPem(), await generateSigningKeyPem()] as const;
  const kids = await Promise.all(pems.map(async (pem) => (await importSigningKey(pem)).kid));
  const keys = await open(pems.join('\n'));
  expect(keys.signing().kid).toBe(kids[0]);
  expect([...keys.verifying().keys()]).toEqual(kids);

  const jwks = Array.from({ length: 2 }, (_, index) => ({
    ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
    kid: `k${index}`,
  }));
  const ofJwks = await open(JSON.stringify({ keys: jwks }));
  expect(ofJwks.signing().kid).toBe('k0');
  expect(ofJwks.publicKeys().map(({ kid }) => kid)).toEqual(['k0', 'k1']);
  expect(JSON.stringify(ofJwks.publicKeys())).not.toContain('"d"');
});

test('[A7] given keys that are none are refused without being quoted', async () => {
  const pem = await generateSigningKeyPem();
  for (const text of [
    '',
    '{"keys":[]}',
    '{"keys":[{"k":"hunter2"}]}',
    '{hunter2',
    `${pem}\n-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----`,
  ]) {
    const error = await open(text).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SigningKeyError);
    expect(String(error)).not.toContain('hunter2');
  }
});

test('[A20] given keys are not rotated', async () => {
  await expect(openRotating({ kind: 'given', text: await generateSigningKeyPem() }, options)).rejects.toThrow('WEFT_AUTH_KEY is given');
});
