import { expect, test } from 'vitest';

import { SigningKeyTable } from './signing-keys.ts';
import type { SigningKeyRow } from './signing-keys.ts';
import { useDatabases } from './test-database.test-data.ts';

const newDatabase = useDatabases();
const row = (kid: string, signsFromMs: number, tokensUntilMs = 0): SigningKeyRow => ({
  kid,
  pem: `pem of ${kid}`,
  signsFromMs,
  tokensUntilMs,
});

test('[ST30] keys come back as they were, oldest first, and those left out are gone', async () => {
  const { database } = await newDatabase();
  const table = new SigningKeyTable(database);
  const [old, young] = [row('a', 1_700_000_000_123), row('b', 1_800_000_000_999, 1_900_000_000_001)];
  await table.change(async () => [young, old]);
  expect(await table.read()).toEqual([old, young]);
  await table.change(async (keys) => keys.slice(1).map((key) => ({ ...key, tokensUntilMs: 1_950_000_000_000 })));
  expect(await table.read()).toEqual([{ ...young, tokensUntilMs: 1_950_000_000_000 }]);
});

test('[ST30] of many who make the first key at once one does, and all have that one', async () => {
  const { open } = await newDatabase();
  const made = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      new SigningKeyTable(open()).change(async (keys) => (keys.length > 0 ? keys : [row(`k${index}`, index)])),
    ),
  );
  expect(new Set(made.map((keys) => keys.map((key) => key.kid).join())).size).toBe(1);
});

test('[ST30] a change that fails changes nothing', async () => {
  const { database } = await newDatabase();
  const table = new SigningKeyTable(database);
  await table.change(async () => [row('a', 1)]);
  await expect(table.change(async () => [row('b', 2), row('b\0', 3)])).rejects.toThrow();
  expect(await table.read()).toEqual([row('a', 1)]);
});
