import { MemoryCache } from '@weft/cache';
import { beforeEach, expect, test } from 'vitest';
import { ConnectionCount } from './connection-count.ts';

const minuteMs = 60_000;
let nowMs: number;
let cache: MemoryCache;
beforeEach(() => {
  nowMs = 1_000 * minuteMs;
  cache = new MemoryCache({ now: () => nowMs });
});
const gateway = (max = 10): ConnectionCount => new ConnectionCount({ cache, wallMs: () => nowMs, what: 'user', max });

/** As service.ts does it, once a second. */
async function pass(seconds: number, ...gateways: ConnectionCount[]): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    nowMs += 1_000;
    for (const each of gateways) await each.recount((nowMs / 1_000) % 60, 60);
  }
}

test('[GW31] who is there counts for as long as it is, on all gateways', async () => {
  const [one, other] = [gateway(), gateway()];
  for (let i = 0; i < 5; i++) {
    expect(await one.opened('ada')).toBeUndefined();
    expect(await other.opened('ada')).toBeUndefined();
  }
  for (let minute = 0; minute < 10; minute++) {
    expect(await one.mayOpen('ada')).toMatchObject({ sentence: 'more than 10 connections of one user' });
    expect(await other.opened('ada')).toBeDefined();
    other.closed('ada');
    expect(await other.mayOpen('bob')).toBeUndefined();
    await pass(47, one, other);
  }
});

test('[GW31] who has left makes room within two minutes, and so does a gateway that died', async () => {
  const [one, other] = [gateway(), gateway()];
  for (let i = 0; i < 5; i++) {
    await one.opened('ada');
    await other.opened('ada');
  }
  for (let i = 0; i < 5; i++) one.closed('ada');
  await pass(120, one, other);
  for (let i = 0; i < 5; i++) expect(await one.opened('ada')).toBeUndefined();
  expect(await one.opened('ada')).toBeDefined();
  // `other` is gone with its five.
  await pass(120, one);
  expect(await one.mayOpen('ada')).toBeUndefined();
});

test('[GW31] who comes and goes is counted by how often: as many a minute', async () => {
  const one = gateway();
  for (let i = 0; i < 10; i++) {
    expect(await one.opened('ada')).toBeUndefined();
    one.closed('ada');
  }
  const tooMany = await one.opened('ada');
  one.closed('ada');
  expect(tooMany?.retryAfterS).toBeGreaterThan(0);
  await pass(120, one);
  expect(await one.opened('ada')).toBeUndefined();
});

test('[GW31] trying again and again keeps nobody out', async () => {
  const one = gateway(1);
  await one.opened('ada');
  for (let i = 0; i < 100; i++) {
    expect(await one.opened('ada')).toBeDefined();
    one.closed('ada');
  }
  one.closed('ada');
  await pass(120, one);
  expect(await one.opened('ada')).toBeUndefined();
});

test('[GW31] 0: any number', async () => {
  const one = gateway(0);
  for (let i = 0; i < 100; i++) expect(await one.opened('ada')).toBeUndefined();
});
