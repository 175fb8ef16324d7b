import fc from 'fast-check';
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';

import type { Allowed } from './decision.ts';
import { GrantError, signGrant, verifyGrant } from './grant.ts';
import type { GrantKeys, GrantSigner } from './grant.ts';
import { ROLES } from './role.ts';

const NOW_MS = 1_800_000_000_000;
const nowS = NOW_MS / 1000;
const allowed: Allowed = { allowed: true, role: 'editor', who: { id: 'u1', name: 'Ada' }, untilMs: NOW_MS + 900_000, session: 's1' };

let ours: GrantSigner & { publicKey: CryptoKey };
let foreign: GrantSigner & { publicKey: CryptoKey };
let keys: GrantKeys;

async function makeSigner(kid: string) {
  return { kid, ...(await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })) };
}

beforeAll(async () => {
  [ours, foreign] = await Promise.all([makeSigner('k1'), makeSigner('k2')]);
  keys = new Map([[ours.kid, ours.publicKey]]);
});

const good = () => signGrant(ours, 'plan', allowed, NOW_MS);
const verified = (grant: string, { document = 'plan', nowMs = NOW_MS } = {}) => verifyGrant(grant, document, keys, nowMs);
const claims = {
  sub: 'u1',
  name: 'Ada',
  document: 'plan',
  role: 'editor',
  until: NOW_MS + 900_000,
  iss: 'weft',
  aud: 'weft-gateway',
  iat: nowS,
  exp: nowS + 60,
};

/** A grant with a right signature and whatever else the test wants. */
function odd(header: Record<string, unknown>, changed: Record<string, unknown>, signer = ours): Promise<string> {
  return new SignJWT({ ...claims, ...changed })
    .setProtectedHeader({ alg: 'EdDSA', kid: signer.kid, typ: 'weft-grant+jwt', ...header })
    .sign(signer.privateKey);
}

describe('[G20] a grant', () => {
  test('brings back what auth allowed, whatever the names are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          id: fc.string(),
          name: fc.string({ unit: 'grapheme' }),
          document: fc.string({ unit: 'grapheme' }),
          role: fc.constantFrom(...ROLES),
          session: fc.option(fc.string(), { nil: undefined }),
        }),
        async ({ id, name, document, role, session }) => {
          const one: Allowed = {
            allowed: true,
            role,
            who: { id, name },
            untilMs: NOW_MS + 1,
            ...(session === undefined ? {} : { session }),
          };
          expect(await verified(await signGrant(ours, document, one, NOW_MS), { document })).toEqual(one);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('[G21] lives for 60 s, clocks 5 s apart, and never beyond the allowance', async () => {
    const grant = await good();
    expect(await verified(grant, { nowMs: NOW_MS + 64_000 })).toEqual(allowed);
    await expect(verified(grant, { nowMs: NOW_MS + 66_000 })).rejects.toMatchObject({ code: 'expired' });
    expect(await verified(grant, { nowMs: NOW_MS - 5_000 })).toEqual(allowed);
    const short = await signGrant(ours, 'plan', { ...allowed, untilMs: NOW_MS + 10_000 }, NOW_MS);
    await expect(verified(short, { nowMs: NOW_MS + 10_000 })).rejects.toMatchObject({ code: 'expired' });
  });

  test('[G21] that claims a longer life does not get it', async () => {
    const long = await odd({}, { exp: nowS + 86_400 });
    await expect(verified(long, { nowMs: NOW_MS + 66_000 })).rejects.toBeInstanceOf(GrantError);
  });
});

describe('[G22] is refused with a short reason:', () => {
  const exchanged = async () => {
    const [header, , signature] = (await good()).split('.');
    return `${header}.${Buffer.from(JSON.stringify({ ...claims, role: 'owner' })).toString('base64url')}.${signature}`;
  };
  const hmacOverOurKey = async () => {
    const { x } = await exportJWK(ours.publicKey);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'k1', typ: 'weft-grant+jwt' })
      .sign(Buffer.from(x ?? '', 'base64url'));
  };
  const cases: [string, () => Promise<string> | string, string, string][] = [
    ['for another document', () => signGrant(ours, 'Plan', allowed, NOW_MS), 'other-document', 'grant is for another document'],
    ['no document', () => odd({}, { document: undefined }), 'other-document', 'grant is for another document'],
    ['every document', () => odd({}, { document: '*' }), 'other-document', 'grant is for another document'],
    ['its claims exchanged', exchanged, 'wrong-signature', 'grant signature is wrong'],
    ['an access token', () => odd({ typ: 'JWT' }, { aud: 'weft', documents: { '*': 'owner' } }), 'wrong-type', 'this is no grant'],
    ['no type', () => odd({ typ: undefined }, {}), 'wrong-type', 'this is no grant'],
    ['the audience of an access token', () => odd({}, { aud: 'weft' }), 'malformed', 'grant has a wrong claim aud'],
    ['another issuer', () => odd({}, { iss: 'mallory' }), 'malformed', 'grant has a wrong claim iss'],
    ['a key nobody knows', () => odd({}, {}, foreign), 'unknown-key', 'grant signed by an unknown key'],
    ['no kid', () => odd({ kid: undefined }, {}), 'unknown-key', 'grant signed by an unknown key'],
    ['another key under the name of ours', () => odd({ kid: 'k1' }, {}, foreign), 'wrong-signature', 'grant signature is wrong'],
    ['alg none', () => new UnsecuredJWT(claims).encode(), 'wrong-algorithm', 'grant is not signed with EdDSA'],
    ['HS256 over our public key', hmacOverOurKey, 'wrong-algorithm', 'grant is not signed with EdDSA'],
    ['no exp', () => odd({}, { exp: undefined }), 'malformed', 'grant has a wrong claim exp'],
    ['no iat', () => odd({}, { iat: undefined }), 'malformed', 'grant has a wrong claim iat'],
    ['of the future', () => odd({}, { iat: nowS + 60, exp: nowS + 120 }), 'not-yet-valid', 'grant is not valid yet'],
    ['not yet valid', () => odd({}, { nbf: nowS + 60 }), 'not-yet-valid', 'grant is not valid yet'],
    ['an unknown role', () => odd({}, { role: 'god' }), 'malformed', 'grant has a wrong claim'],
    ['an end that is no number', () => odd({}, { until: 'never' }), 'malformed', 'grant has a wrong claim'],
    ['garbage', () => 'garbage', 'malformed', 'grant is malformed'],
    ['nothing', () => '', 'malformed', 'grant is malformed'],
    ['5,000 characters', () => 'x'.repeat(5000), 'malformed', 'grant is too long'],
  ];
  test.each(cases)('%s', async (_what, make, code, message) => {
    const grant = await make();
    await expect(verified(grant)).rejects.toMatchObject({ name: 'GrantError', code, message });
  });

  test('any text: a GrantError and nothing else', async () => {
    const parts = (await good()).split('.');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 1, 2), fc.nat(200), fc.string({ maxLength: 4 }), async (part, at, text) => {
        const changed = parts
          .map((one, index) => (index === part ? one.slice(0, at) + text + one.slice(at + 1 + text.length) : one))
          .join('.');
        fc.pre(changed !== parts.join('.'));
        // The last character of base64url may bear bits that mean nothing: then it is the same grant.
        const same = Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(Buffer.from(parts[2] ?? '', 'base64url')) && part === 2;
        fc.pre(!same);
        await expect(verified(changed)).rejects.toBeInstanceOf(GrantError);
      }),
    );
  });
});
