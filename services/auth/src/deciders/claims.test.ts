import { createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Policy } from './at-once.ts';
import { ClaimsDecider } from './claims.ts';
import { DeciderUnavailable } from './decider.ts';
import { ForeignIssuer } from './foreign-issuer.test-data.ts';
import type { IssuerMood } from './foreign-issuer.test-data.ts';

const COOLDOWN_MS = 200;
let issuer: ForeignIssuer;
let lines: string[];
let aheadMs: number;
beforeEach(async () => {
  issuer = await ForeignIssuer.start();
  lines = [];
  aheadMs = 0;
});
afterEach(() => issuer.stop());

function decider({
  guests = 'none',
  documentsClaim = 'documents',
  cooldownMs = COOLDOWN_MS,
}: Partial<Policy> & { documentsClaim?: string; cooldownMs?: number } = {}) {
  const logger = createLogger({ service: 'auth', level: 'trace', stream: { write: (line) => void lines.push(line) } });
  const config = { jwksUrl: issuer.url, issuer: issuer.issuer, audience: issuer.audience, documentsClaim };
  return new ClaimsDecider({ config, policy: { guests }, logger, now: () => Date.now() + aheadMs, cooldownMs });
}
const ask = async (of: ClaimsDecider, token: string, document = 'plan') => of.decide({ token, document });

describe('[A30] a right token', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('signed with %s says who, what and until when', async (alg) => {
    await issuer.addKey(alg);
    const exp = Math.floor(Date.now() / 1000) + 60;
    expect(await ask(decider(), await issuer.token({ exp }))).toEqual({
      allowed: true,
      role: 'editor',
      who: { id: 'u1', name: 'Ada' },
      untilMs: exp * 1000 + 5000,
    });
    expect(await ask(decider(), await issuer.token(), 'other')).toMatchObject({ allowed: false, status: 403 });
  });

  test('carries its rights in the claim that is set, whatever its name', async () => {
    const claim = 'https://weft.example/rights';
    const token = await issuer.token({ documents: { '*': 'owner' }, [claim]: { 'notes/*': 'viewer' } });
    expect(await ask(decider({ documentsClaim: claim }), token, 'notes/1')).toMatchObject({ allowed: true, role: 'viewer' });
    expect(await ask(decider({ documentsClaim: claim }), token, 'plan')).toMatchObject({ allowed: false, status: 403 });
    expect(await ask(decider({ documentsClaim: 'constructor' }), token)).toMatchObject({ allowed: false, status: 403 });
  });

  test('may have a name of any length or none, and claims of ours that mean something else', async () => {
    expect(await ask(decider(), await issuer.token({ name: 'x'.repeat(500), sid: 7 }))).toMatchObject({ who: { name: 'x'.repeat(100) } });
    expect(await ask(decider(), await issuer.token({ name: { first: 'Ada' } }))).toMatchObject({ who: { id: 'u1', name: 'u1' } });
  });

  test('is not needed where guests may come', async () => {
    expect(await ask(decider({ guests: 'read' }), '')).toMatchObject({ allowed: true, role: 'viewer' });
    expect(await ask(decider(), '')).toMatchObject({ allowed: false, status: 401 });
  });
});

describe('[A31] a rotation of the issuer', () => {
  test('is followed under load: of 40 clients over 5 rotations nobody is refused, and the issuer is asked seldom', async () => {
    const of = decider();
    const startMs = performance.now();
    let ended = false;
    const clients = Array.from({ length: 40 }, async () => {
      let allowed = 0;
      while (!ended) {
        const decision = await ask(of, await issuer.token());
        expect(decision).toMatchObject({ allowed: true });
        allowed++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return allowed;
    });
    for (let rotation = 0; rotation < 5; rotation++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await issuer.addKey('ES256');
      if (issuer.keys.length > 2) issuer.keys.shift();
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    ended = true;
    expect(Math.min(...(await Promise.all(clients)))).toBeGreaterThan(0);
    expect(issuer.fetches).toBeGreaterThanOrEqual(6);
    expect(issuer.fetches).toBeLessThanOrEqual(2 + (performance.now() - startMs) / COOLDOWN_MS);
  }, 30_000);

  test('that withdraws a key ends its tokens within minutes', async () => {
    const of = decider();
    const old = issuer.current;
    await ask(of, await issuer.token());
    await issuer.addKey();
    issuer.keys.shift();
    aheadMs = 3_700_000;
    const decision = await ask(of, await issuer.token({ exp: Math.floor(Date.now() / 1000) + 9000 }, {}, old));
    expect(decision).toEqual({ allowed: false, status: 401, reason: 'token signed by an unknown key' });
  });

  test('that never was: unknown keys are refused, by hundreds of tokens with few fetches', async () => {
    const startMs = performance.now();
    const of = decider();
    await ask(of, await issuer.token());
    for (let round = 0; round < 3; round++) {
      const asked = await Promise.all(
        Array.from({ length: 100 }, async (_, index) => ask(of, await issuer.token({}, { kid: `none-${round}-${index}` }))),
      );
      for (const decision of asked) expect(decision).toEqual({ allowed: false, status: 401, reason: 'token signed by an unknown key' });
    }
    expect(issuer.fetches).toBeLessThanOrEqual(2 + (performance.now() - startMs) / COOLDOWN_MS);
  }, 30_000);

  test('keeps at most 200 questions waiting; more are unavailable at once', async () => {
    const of = decider({ cooldownMs: 60_000 });
    await ask(of, await issuer.token());
    const unknown = await issuer.token({}, { kid: 'none' });
    const waiting = Array.from({ length: 200 }, () => ask(of, unknown));
    waiting.forEach((question) => question.catch(() => undefined));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await expect(ask(of, unknown)).rejects.toThrow(DeciderUnavailable);
    expect(await ask(of, await issuer.token())).toMatchObject({ allowed: true });
  });
});

describe.each<IssuerMood>(['fails', 'garbage', 'redirects', 'hangs'])('[A32] an issuer that %s', (mood) => {
  test('has its known keys believed, also when they are old; a key we do not know is unavailable, and is taken once it is there again', async () => {
    const of = decider();
    const known = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 30_000 });
    expect(await ask(of, known)).toMatchObject({ allowed: true });
    issuer.mood = mood;
    await issuer.addKey();
    await expect(ask(of, await issuer.token())).rejects.toThrow(DeciderUnavailable);
    aheadMs = 7_200_000;
    const fetches = issuer.fetches;
    expect(await ask(of, known)).toMatchObject({ allowed: true });
    expect(issuer.fetches).toBeGreaterThan(fetches);
    issuer.mood = 'well';
    await new Promise((resolve) => setTimeout(resolve, COOLDOWN_MS));
    expect(await ask(of, await issuer.token({ exp: Math.floor(Date.now() / 1000) + 30_000 }))).toMatchObject({ allowed: true });
    expect(lines.filter((line) => line.includes('cannot be fetched'))).toHaveLength(1);
  }, 30_000);

  test('from the start gives no answer, and is asked once for many', async () => {
    issuer.mood = mood;
    const of = decider();
    const token = await issuer.token();
    const asked = await Promise.allSettled(Array.from({ length: 50 }, () => ask(of, token)));
    for (const { status } of asked) expect(status).toBe('rejected');
    expect(issuer.fetches).toBe(1);
    await expect(ask(of, token)).rejects.toThrow(DeciderUnavailable);
    for (const part of token.split('.')) expect(lines.join('')).not.toContain(part);
  }, 30_000);
});
