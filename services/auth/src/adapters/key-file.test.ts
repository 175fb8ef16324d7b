import { chmod, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { importSigningKey } from '../signing-key.ts';
import { readOrMakeKeyFile } from './key-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-auth-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('[A8] a key is made once, for the owner alone, and is the same later', async () => {
  const file = join(folder, 'data', 'auth-key.pem');
  const made = await importSigningKey(await readOrMakeKeyFile(file));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await importSigningKey(await readOrMakeKeyFile(file))).kid).toBe(made.kid);
  expect(await readdir(join(folder, 'data'))).toEqual(['auth-key.pem']);
});

test('[A8] several that make one at the same time end with the same', async () => {
  const file = join(folder, 'auth-key.pem');
  const pems = await Promise.all(Array.from({ length: 8 }, () => readOrMakeKeyFile(file)));
  expect(new Set(pems).size).toBe(1);
  expect(await readdir(folder)).toEqual(['auth-key.pem']);
});

test('[A8] a key file that others may read is closed to them', async () => {
  const file = join(folder, 'auth-key.pem');
  await readOrMakeKeyFile(file);
  const before = await readFile(file, 'utf8');
  await chmod(file, 0o644);
  expect(await readOrMakeKeyFile(file)).toBe(before);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
