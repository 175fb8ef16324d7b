import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { SigningKeyError, generateSigningKeyPem, importSigningKey } from '../signing-key.ts';
import { KeyFile } from './key-file.ts';
import type { StoredKey } from './stored-key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-auth-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const keyOf = async (signsFromMs = 0, tokensUntilMs = 0): Promise<StoredKey> => {
  const pem = await generateSigningKeyPem();
  return { kid: (await importSigningKey(pem)).kid, pem, signsFromMs, tokensUntilMs };
};

test('[A8] keys are kept for the owner alone, and are the same later', async () => {
  const file = join(folder, 'data', 'auth-key.pem');
  expect(await new KeyFile(file).read()).toEqual([]);
  const keys = [await keyOf(1_700_000_000_000), await keyOf(1_800_000_000_000, 1_900_000_000_000)];
  expect(await new KeyFile(file).change(async () => keys)).toEqual(keys);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await new KeyFile(file).read()).toEqual(keys);
  expect(await readdir(join(folder, 'data'))).toEqual(['auth-key.pem']);
});

test('[A8] [A21] several that change it at the same time do it one after the other, and all changes are there', async () => {
  const file = join(folder, 'auth-key.pem');
  const made = await Promise.all(Array.from({ length: 8 }, (_, index) => keyOf(index)));
  await Promise.all(made.map((key) => new KeyFile(file).change(async (keys) => [...keys, key])));
  expect(new Set((await new KeyFile(file).read()).map((key) => key.kid))).toEqual(new Set(made.map((key) => key.kid)));
  expect(await readdir(folder)).toEqual(['auth-key.pem']);
});

test('[A8] a change that fails changes nothing and leaves nothing behind', async () => {
  const file = join(folder, 'auth-key.pem');
  await new KeyFile(file).change(async () => [await keyOf()]);
  const before = await readFile(file, 'utf8');
  await expect(
    new KeyFile(file).change(async () => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(await readdir(folder)).toEqual(['auth-key.pem']);
});

test('[A21] a lock that somebody left who is gone is taken over', async () => {
  const file = join(folder, 'auth-key.pem');
  await writeFile(`${file}.lock`, '');
  await utimes(`${file}.lock`, new Date(0), new Date(0));
  await new KeyFile(file).change(async () => [await keyOf()]);
  expect(await readdir(folder)).toEqual(['auth-key.pem']);
});

test('[A8] a key file that others may read is closed to them', async () => {
  const file = join(folder, 'auth-key.pem');
  await new KeyFile(file).change(async () => [await keyOf()]);
  await chmod(file, 0o644);
  await new KeyFile(file).read();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('[A20] a bare PEM or JWK, as earlier Wefts wrote and people give, is a key that has signed from the beginning', async () => {
  const pem = await generateSigningKeyPem();
  await writeFile(join(folder, 'pem'), pem);
  expect(await new KeyFile(join(folder, 'pem')).read()).toEqual([
    { kid: (await importSigningKey(pem)).kid, pem, signsFromMs: 0, tokensUntilMs: 0 },
  ]);
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const file = new KeyFile(join(folder, 'jwk'));
  await writeFile(join(folder, 'jwk'), JSON.stringify({ ...jwk, kid: 'mine' }));
  expect(await file.read()).toMatchObject([{ kid: 'mine' }]);
  await file.change(async (keys) => [...keys, await keyOf(5)]);
  expect(await file.read()).toMatchObject([{ kid: 'mine', signsFromMs: 0 }, { signsFromMs: 5 }]);
});

test('[A7] a file that holds something else is refused without being quoted', async () => {
  for (const text of [
    'hunter2',
    '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
    `Signs-From: hunter2\n${await generateSigningKeyPem()}`,
  ]) {
    await writeFile(join(folder, 'wrong'), text);
    const error = await new KeyFile(join(folder, 'wrong')).read().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SigningKeyError);
    expect(String(error)).not.toContain('hunter2');
  }
  await mkdir(join(folder, 'a-folder'));
  await expect(new KeyFile(join(folder, 'a-folder')).read()).rejects.toThrow('EISDIR');
});
