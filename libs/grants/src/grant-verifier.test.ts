import { InProcessBus } from '@weft/bus';
import { createLogger } from '@weft/telemetry';
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { AuthUnavailable } from './auth-client.ts';
import type { Allowed } from './decision.ts';
import { signGrant } from './grant.ts';
import type { GrantSigner } from './grant.ts';
import { GrantVerifier } from './grant-verifier.ts';
import { AUTH_KEYS_CHANGED_SUBJECT, AUTH_KEYS_SUBJECT, encodeKeys } from './keys-message.ts';
import type { PublicKey } from './keys-message.ts';

let bus: InProcessBus;
let nowMs: number;
let published: PublicKey[];
let asked: number;
let verifier: GrantVerifier;

beforeEach(() => {
  bus = new InProcessBus({ logger: createLogger({ service: 'test', level: 'silent' }) });
  nowMs = 1_800_000_000_000;
  published = [];
  asked = 0;
  verifier = new GrantVerifier(bus, { timeoutMs: 200, now: () => nowMs });
  verifier.start();
});
afterEach(async () => {
  verifier.stop();
  await bus.close();
});

function auth(): void {
  bus.subscribe(AUTH_KEYS_SUBJECT, ({ reply }) => {
    asked += 1;
    reply?.(encodeKeys(published));
  });
}

async function signer(kid: string): Promise<GrantSigner> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { x = '' } = await exportJWK(publicKey);
  published.push({ kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' });
  return { kid, privateKey };
}

const allowed = (): Allowed => ({ allowed: true, role: 'viewer', who: { id: 'u1', name: 'Ada' }, untilMs: nowMs + 3_600_000 });
const grantOf = (by: GrantSigner) => signGrant(by, 'plan', allowed(), nowMs);

test('[G23] believes what auth signed, and asks for its keys once a minute, once for many', async () => {
  auth();
  const one = await signer('k1');
  const grant = await grantOf(one);
  expect(await Promise.all([1, 2, 3].map(() => verifier.check(grant, 'plan')))).toEqual([allowed(), allowed(), allowed()]);
  expect(await verifier.check(grant, 'other')).toEqual({ allowed: false, status: 401, reason: 'grant is for another document' });
  expect(asked).toBe(1);
  nowMs += 60_000;
  expect(await verifier.check(await grantOf(one), 'plan')).toEqual(allowed());
  expect(asked).toBe(2);
});

test('[G23] a new key is asked for; one nobody has is refused, and asked for once a second at most', async () => {
  auth();
  await verifier.check(await grantOf(await signer('k1')), 'plan');
  nowMs += 5000;
  expect(await verifier.check(await grantOf(await signer('k2')), 'plan')).toEqual(allowed());
  expect(asked).toBe(2);
  const nobodys = await grantOf(await signer('k3'));
  published.pop();
  for (let i = 0; i < 20; i++)
    expect(await verifier.check(nobodys, 'plan')).toEqual({ allowed: false, status: 401, reason: 'grant signed by an unknown key' });
  expect(asked).toBe(2);
  nowMs += 1000;
  for (let i = 0; i < 20; i++) expect(await verifier.check(nobodys, 'plan')).toMatchObject({ allowed: false });
  expect(asked).toBe(3);
});

test('[G23] a key that was withdrawn is not believed past the word of it, nor past a minute without it', async () => {
  auth();
  const one = await signer('k1');
  const grant = await grantOf(one);
  expect(await verifier.check(grant, 'plan')).toEqual(allowed());
  const withdrawn = published.splice(0);
  bus.publish(AUTH_KEYS_CHANGED_SUBJECT, new Uint8Array());
  await expect.poll(() => verifier.check(grant, 'plan')).toMatchObject({ allowed: false, status: 401 });
  published.push(...withdrawn);
  nowMs += 1000;
  expect(await verifier.check(grant, 'plan')).toMatchObject({ allowed: true });
  published.length = 0;
  nowMs += 60_000;
  expect(await verifier.check(await grantOf(one), 'plan')).toMatchObject({ allowed: false, status: 401 });
});

test('[G23] keys that cannot be had are AuthUnavailable, and had when they can be', async () => {
  const grant = await grantOf(await signer('k1'));
  await expect(verifier.check(grant, 'plan')).rejects.toBeInstanceOf(AuthUnavailable);
  const nonsense = bus.subscribe(AUTH_KEYS_SUBJECT, ({ reply }) => reply?.(new TextEncoder().encode('{}')));
  await expect(verifier.check(grant, 'plan')).rejects.toBeInstanceOf(AuthUnavailable);
  nonsense.unsubscribe();
  auth();
  expect(await verifier.check(grant, 'plan')).toEqual(allowed());
});
