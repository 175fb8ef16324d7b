import { MemoryCache, RedisCache } from '@weft/cache';
import type { Cache } from '@weft/cache';
import { createLogger } from '@weft/telemetry';
import { startRedis } from '@weft/testkit';
import { expect, test } from 'vitest';

import { AccountRefusal } from './account-refusal.ts';
import { SignInLimits, household } from './sign-in-limits.ts';

function newLimits(make: (now: () => number) => Cache = (now) => new MemoryCache({ now })) {
  const clock = { nowMs: 1_800_000_000_000 };
  const lines: string[] = [];
  const logger = createLogger({ service: 'auth', level: 'info', stream: { write: (line) => void lines.push(line) } });
  const now = () => clock.nowMs;
  const limits = new SignInLimits(make(now), logger, now);
  /** Ms to wait, or 0. */
  const waitOf = async (counted: Promise<void>): Promise<number> => {
    try {
      await counted;
      return 0;
    } catch (error) {
      if (error instanceof AccountRefusal && error.code === 'too-many-attempts') return error.retryAfterMs ?? Number.NaN;
      throw error;
    }
  };
  const attempt = (account: string, address: string) => waitOf(limits.attempt(account, address));
  const refreshFailed = (address: string) => waitOf(limits.refreshFailed(address));
  return { limits, attempt, refreshFailed, clock, lines };
}

test('[AC6] an account’s pause begins after five attempts and doubles, up to a minute, wherever they come from', async () => {
  const { attempt, clock } = newLimits();
  for (let index = 0; index < 5; index += 1) expect(await attempt('ada', `address ${index}`)).toBe(0);
  const pauses: number[] = [];
  for (let index = 0; index < 9; index += 1) {
    expect(await attempt('ada', `later ${index}`)).toBe(0);
    const pauseMs = await attempt('ada', `too early ${index}`);
    pauses.push(pauseMs);
    clock.nowMs += pauseMs;
  }
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(await attempt('bob', 'address 1')).toBe(0);
});

test('[AC6] an address waits after twenty, and does not use up accounts meanwhile', async () => {
  const { attempt, clock } = newLimits();
  for (let index = 0; index < 21; index += 1) expect(await attempt(`account ${index}`, 'one')).toBe(0);
  for (let index = 0; index < 50; index += 1) expect(await attempt('ada', 'one')).toBe(1000);
  for (let index = 0; index < 5; index += 1) expect(await attempt('ada', 'two')).toBe(0);
  clock.nowMs += 1000;
  expect(await attempt('bob', 'one')).toBe(0);
  expect(await attempt('bob', 'one')).toBe(2000);
});

test('[AC6] a right password forgets an account’s attempts', async () => {
  const { attempt, limits } = newLimits();
  for (let round = 0; round < 20; round += 1) {
    for (let index = 0; index < 4; index += 1) expect(await attempt('ada', `address ${round} ${index}`)).toBe(0);
    expect(await attempt('ada', `right ${round}`)).toBe(0);
    await limits.succeeded('ada', `right ${round}`);
  }
});

test('[AC16] refresh tokens worth nothing wait after twenty of an address, longer each time, and sign-ins are not concerned', async () => {
  const { attempt, refreshFailed, clock } = newLimits();
  for (let index = 0; index < 20; index += 1) expect(await refreshFailed('2001:db8::1')).toBe(0);
  const pauses: number[] = [];
  for (let index = 0; index < 12; index += 1) {
    expect(await refreshFailed('2001:db8::2')).toBe(0);
    const pauseMs = await refreshFailed('2001:db8::3');
    expect(await refreshFailed('2001:db8::4')).toBe(pauseMs);
    pauses.push(pauseMs);
    clock.nowMs += pauseMs;
  }
  expect(pauses.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
  expect(pauses.slice(-2)).toEqual([900_000, 900_000]);
  expect(await refreshFailed('192.0.2.1')).toBe(0);
  expect(await attempt('ada', '2001:db8::1')).toBe(0);
});

test('[AC6] [redis] of a thousand attempts at once a handful go through', async () => {
  const redis = await startRedis();
  // A thousand at once on a busy machine take longer than the half second a call is given.
  const cache = new RedisCache({ url: redis.url, timeoutMs: 20_000, logger: createLogger({ service: 'test', level: 'silent' }) });
  await expect.poll(() => cache.available, { timeout: 20_000 }).toBe(true);
  const { attempt } = newLimits(() => cache);
  const waits = await Promise.all(Array.from({ length: 1000 }, (_, index) => attempt('ada', `address ${index}`)));
  // Five are free, the sixth begins a pause of a second; on a busy machine the thousand may take a few of them, each twice as long.
  const through = waits.filter((ms) => ms === 0).length;
  expect(through).toBeGreaterThanOrEqual(6);
  expect(through).toBeLessThanOrEqual(10);
  await cache.close();
  await redis.stop();
});

test('[AC6] [redis] without Redis nobody signs in, which is logged once, and once more when it is back', async () => {
  const redis = await startRedis();
  const cache = new RedisCache({ url: redis.url, logger: createLogger({ service: 'test', level: 'silent' }) });
  await expect.poll(() => cache.available, { timeout: 20_000 }).toBe(true);
  const { limits, attempt, refreshFailed, lines } = newLimits(() => cache);
  expect(await attempt('ada', 'one')).toBe(0);
  await redis.kill();
  for (let index = 0; index < 3; index += 1) {
    await expect(limits.attempt('ada', 'one')).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) });
  }
  expect(lines.filter((line) => line.includes('nobody can sign in'))).toHaveLength(1);
  // AC16: who is signed in goes on.
  for (let index = 0; index < 30; index += 1) expect(await refreshFailed('one')).toBe(0);
  expect(lines.filter((line) => line.includes('nobody can sign in'))).toHaveLength(1);
  await redis.start();
  await expect
    .poll(
      () =>
        limits.attempt('bob', 'two').then(
          () => 'counted',
          () => 'closed',
        ),
      { timeout: 20_000 },
    )
    .toBe('counted');
  expect(lines.filter((line) => line.includes('counted again'))).toHaveLength(1);
  await cache.close();
  await redis.stop();
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['::1', '0:0:0:0::/64'],
  ['not an: address', 'not an: address'],
])('[AC6] %s is counted as %s', (address, counted) => expect(household(address)).toBe(counted));
