import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InProcessBus } from '@weft/bus';
import type { Bus } from '@weft/bus';
import { AUTH_KEYS_SUBJECT, decodeKeys } from '@weft/grants';
import { createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { TokensDecider } from '../deciders/tokens.ts';
import { signToken } from '../token.ts';
import { KeyFile } from './key-file.ts';
import { PUBLISHED_AHEAD_MS } from './key-plan.ts';
import { answerKeys } from './keys-responder.ts';
import { SigningKeys } from './signing-keys.ts';
import type { KeyStore } from './stored-key.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const logger = createLogger({ service: 'auth', level: 'silent' });
let folder: string;
let nowMs: number;
let store: KeyStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-auth-keys-'));
  store = new KeyFile(join(folder, 'auth-key.pem'));
  nowMs = 1_800_000_000_000;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (more: { rotationMs?: number; readAgainMs?: number; bus?: Bus; store?: KeyStore } = {}) =>
  SigningKeys.open(more.store ?? store, {
    logger,
    now: () => nowMs,
    rotationMs: more.rotationMs,
    tokenLifetimeMs: 12 * HOUR_MS,
    ...(more.bus ? { bus: more.bus } : {}),
    ...(more.readAgainMs === undefined ? {} : { readAgainMs: more.readAgainMs }),
  });
const sign = async (keys: SigningKeys, lifetimeMs = 12 * HOUR_MS) =>
  (
    await signToken(
      await keys.signingUntil(nowMs + lifetimeMs),
      { sub: 'u1', name: 'Ada', documents: { '*': 'editor' } },
      nowMs,
      lifetimeMs,
    )
  ).token;
const isTaken = async (keys: SigningKeys, token: string) =>
  (
    await new TokensDecider({ keys: () => keys.verifying(), now: () => nowMs, policy: { guests: 'none' } }).decide({
      token,
      document: 'plan',
    })
  ).allowed;
const kids = (keys: SigningKeys) => keys.publicKeys().map(({ kid }) => kid);

test('[A21] several that open an empty store at once have the same key', async () => {
  const opened = await Promise.all(Array.from({ length: 5 }, () => open()));
  await Promise.all(opened.map((keys) => keys.refresh()));
  expect(new Set(opened.map((keys) => keys.signing().kid)).size).toBe(1);
});

test('[A20] [A22] [A23] through many rotations a token is taken by every process until it ends, and old keys go', async () => {
  const [one, other] = [await open({ rotationMs: DAY_MS }), await open({ rotationMs: DAY_MS })];
  const signers = new Set<string>();
  let token = await sign(one);
  for (let step = 0; step < 40; step++) {
    nowMs += 6 * HOUR_MS;
    // The other reads the keys again later than the first, within the ten minutes in which a new one does not sign yet.
    await one.refresh();
    expect(await isTaken(other, token)).toBe(true);
    token = await sign(one);
    expect(await isTaken(other, token)).toBe(true);
    await other.refresh();
    signers.add(one.signing().kid);
    expect(one.signing().kid).toBe(other.signing().kid);
  }
  expect(signers.size).toBeGreaterThan(5);
  expect(kids(one).length).toBeLessThan(5);
});

test('[A23] a rotation by command signs only once everybody can know the key', async () => {
  const keys = await open();
  const before = keys.signing().kid;
  const { kid, signsFromMs } = await keys.rotate();
  expect(signsFromMs).toBe(nowMs + PUBLISHED_AHEAD_MS);
  expect(kids(keys)).toEqual([before, kid]);
  expect(keys.signing().kid).toBe(before);
  nowMs = signsFromMs;
  expect(keys.signing().kid).toBe(kid);
});

test('[A22] a key that signed a token of a month is kept for a month, and not without one', async () => {
  const keys = await open();
  const token = await sign(keys, 30 * DAY_MS);
  const { kid } = await keys.rotate();
  nowMs += 30 * DAY_MS - 1000;
  await keys.refresh();
  expect(await isTaken(keys, token)).toBe(true);
  nowMs += HOUR_MS;
  await keys.refresh();
  expect(kids(keys)).toEqual([kid]);
});

test('[A24] a revocation of all keys reaches other processes by a word on the bus, and no token from before is taken', async () => {
  const bus = new InProcessBus({ logger });
  const [one, other] = [await open({ bus }), await open({ bus: bus.sibling() })];
  await Promise.all([one.run(), other.run()]);
  const token = await sign(other);
  expect(await isTaken(one, token)).toBe(true);
  const { kid } = await one.revokeAll();
  expect(await isTaken(one, token)).toBe(false);
  await expect.poll(() => other.signing().kid, { timeout: 10_000 }).toBe(kid);
  expect(await isTaken(other, token)).toBe(false);
  expect(await isTaken(other, await sign(one))).toBe(true);
  await Promise.all([one.stop(), other.stop(), bus.close()]);
});

test('[A24] a change that nobody told is read after a while', async () => {
  const [one, other] = [await open(), await open({ readAgainMs: 50 })];
  await other.run();
  const { kid } = await one.revokeAll();
  await expect.poll(() => other.signing().kid, { timeout: 10_000 }).toBe(kid);
  await other.stop();
});

test('[A21] a store that is away stops nobody: the keys known keep working', async () => {
  let isAway = false;
  const away = () => Promise.reject(new Error('away'));
  const keys = await open({
    rotationMs: DAY_MS,
    store: { read: () => (isAway ? away() : store.read()), change: (next) => (isAway ? away() : store.change(next)) },
  });
  isAway = true;
  nowMs += 3 * DAY_MS;
  await expect(keys.refresh()).rejects.toThrow('away');
  expect(await isTaken(keys, await sign(keys))).toBe(true);
  isAway = false;
  await keys.refresh();
  expect(kids(keys)).toHaveLength(2);
});

test('[A20] the bus gives public halves only', async () => {
  const bus = new InProcessBus({ logger });
  const keys = await open();
  const subscription = answerKeys(bus, keys);
  const answer = await bus.sibling().request(AUTH_KEYS_SUBJECT, new Uint8Array(), { timeoutMs: 2000 });
  expect(decodeKeys(answer)).toEqual(keys.publicKeys());
  expect(new TextDecoder().decode(answer)).not.toContain('"d"');
  subscription.unsubscribe();
  await bus.close();
});
