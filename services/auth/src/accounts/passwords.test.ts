import { expect, test } from 'vitest';

import { argon2id } from '../adapters/argon2.ts';
import { PASSWORD_BYTES_MAX, Passwords } from './passwords.ts';
import type { PasswordHasher } from './passwords.ts';

/** A hasher whose ends the test decides. */
function heldHasher() {
  const under: (() => void)[] = [];
  let most = 0;
  let calls = 0;
  const held = (): Promise<void> => {
    calls += 1;
    const ended = new Promise<void>((resolve) => under.push(resolve));
    most = Math.max(most, under.length);
    return ended;
  };
  const hasher: PasswordHasher = {
    hash: async (password) => `hash of ${password}`,
    verify: async (hash, password) => held().then(() => hash === `hash of ${password}`),
  };
  return { hasher, endOne: () => under.shift()?.(), underWay: () => under.length, most: () => most, calls: () => calls };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('[AC2] nobody’s password costs a hash like somebody’s, and is never right', async () => {
  const seen: string[] = [];
  const hasher: PasswordHasher = {
    hash: async (password) => `hash of ${password}`,
    verify: async (hash, password) => {
      seen.push(hash);
      return hash === `hash of ${password}`;
    },
  };
  const passwords = await Passwords.open(hasher, 'nobody knows');
  expect(await passwords.verify('nobody knows', undefined)).toBe(false);
  expect(await passwords.verify('pass', 'hash of pass')).toBe(true);
  expect(seen).toEqual(['hash of nobody knows', 'hash of pass']);
});

test('[AC2] with argon2id the two take the same time', async () => {
  const passwords = await Passwords.open(argon2id, crypto.randomUUID());
  const hash = await passwords.hash('correct horse');
  const median = async (stored: string | undefined): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 15; round += 1) {
      const startedMs = performance.now();
      await passwords.verify('wrong password', stored);
      times.push(performance.now() - startedMs);
    }
    return times.toSorted((a, b) => a - b)[7] as number;
  };
  await median(hash);
  const [somebody, nobody] = [await median(hash), await median(undefined)];
  // The machine is shared; a missing hash would be a factor of hundreds.
  expect(nobody / somebody).toBeGreaterThan(0.4);
  expect(nobody / somebody).toBeLessThan(2.5);
});

test('[AC3] ten kilobytes are refused before they are hashed; the limit is of bytes', async () => {
  const held = heldHasher();
  const passwords = await Passwords.open(held.hasher, 'x');
  for (const long of ['x'.repeat(10_240), 'ä'.repeat(PASSWORD_BYTES_MAX / 2 + 1)]) {
    await expect(passwords.verify(long, undefined)).rejects.toMatchObject({ code: 'bad-request' });
    await expect(passwords.hash(long)).rejects.toMatchObject({ code: 'bad-request' });
  }
  expect(held.calls()).toBe(0);
  await expect(passwords.hash('7 chars')).rejects.toMatchObject({ code: 'bad-request' });
  await expect(passwords.hash('x'.repeat(PASSWORD_BYTES_MAX))).resolves.toContain('hash of');
});

test('[AC3] one normal form: a password is the same from every keyboard', async () => {
  const passwords = await Passwords.open(argon2id, 'x');
  const hash = await passwords.hash('p\u00e4ssword');
  expect(hash).toMatch(/^\$argon2id\$/);
  expect(await passwords.verify('pa\u0308ssword', hash)).toBe(true);
});

test('[AC3] two hashes at once, 64 wait, more are refused at once; all that waited get their turn', async () => {
  const held = heldHasher();
  const passwords = await Passwords.open(held.hasher, 'x');
  const asked = Array.from({ length: 66 }, () => passwords.verify('right', 'hash of right'));
  await turn();
  expect(held.underWay()).toBe(2);
  await expect(passwords.verify('one more', undefined)).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) });
  while (held.underWay() > 0) {
    held.endOne();
    await turn();
  }
  expect(await Promise.all(asked)).toEqual(asked.map(() => true));
  expect(held.most()).toBe(2);
});
