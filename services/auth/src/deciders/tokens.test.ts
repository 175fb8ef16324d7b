import { createHmac } from 'node:crypto';

import fc from 'fast-check';
import { SignJWT, UnsecuredJWT, exportSPKI } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';

import { generateSigningKeyPem, importSigningKey, verifyingKeys } from '../signing-key.ts';
import type { SigningKey } from '../signing-key.ts';
import { signToken } from '../token.ts';
import type { Policy } from './at-once.ts';
import { TokensDecider } from './tokens.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const POLICY = { guests: 'none' } as const;

let key: SigningKey;
let foreign: SigningKey;

beforeAll(async () => {
  key = await importSigningKey(await generateSigningKeyPem());
  foreign = await importSigningKey(await generateSigningKeyPem());
});

const decide = (token: string, document = 'plan', policy: Policy = POLICY) =>
  new TokensDecider({ keys: () => verifyingKeys(key), now: () => NOW_MS, policy }).decide({ token, document });
const ada = { sub: 'u1', name: 'Ada', documents: { plan: 'editor', 'notes/*': 'viewer' } } as const;
const adasToken = async (nowMs = NOW_MS) => (await signToken(key, ada, nowMs, HOUR_MS)).token;

/** A token with a right signature and whatever else the test wants. */
function odd(header: Record<string, unknown>, claims: Record<string, unknown>, signer = key): Promise<string> {
  const seconds = NOW_MS / 1000;
  return new SignJWT({ sub: 'u1', iss: 'weft', aud: 'weft', exp: seconds + 60, documents: { '*': 'editor' }, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: signer.kid, ...header })
    .sign(signer.privateKey);
}

describe('a right token', () => {
  test('[A5] allows with role, person and its own end', async () => {
    const decision = await decide(await adasToken());
    expect(decision).toEqual({ allowed: true, role: 'editor', who: { id: 'u1', name: 'Ada' }, untilMs: NOW_MS + HOUR_MS + 5000 });
  });

  test('[A2] gives a prefix its role, and nothing elsewhere', async () => {
    expect(await decide(await adasToken(), 'notes/today')).toMatchObject({ allowed: true, role: 'viewer' });
    expect(await decide(await adasToken(), 'other')).toEqual({
      allowed: false,
      status: 403,
      reason: 'token gives no right to this document',
    });
  });

  test('without a name the person is called by their id', async () => {
    expect(await decide(await odd({}, {}))).toMatchObject({ who: { id: 'u1', name: 'u1' } });
  });

  test('[A4] nbf and exp bear clocks 5 s apart, not more', async () => {
    const seconds = NOW_MS / 1000;
    expect(await decide(await odd({}, { nbf: seconds + 4 }))).toMatchObject({ allowed: true });
    expect(await decide(await odd({}, { exp: seconds - 4 }))).toMatchObject({ allowed: true });
    expect(await decide(await odd({}, { exp: seconds - 6 }))).toMatchObject({ allowed: false });
  });
});

describe('[A1] [A2] a wrong token is refused with 401 and its reason:', () => {
  const seconds = NOW_MS / 1000;
  const publicPem = () => exportSPKI(key.publicKey);
  const hmacOverPublicKey = async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', kid: key.kid })}.${part({ sub: 'u1', iss: 'weft', aud: 'weft', exp: seconds + 60, documents: { '*': 'owner' } })}`;
    return `${signed}.${createHmac('sha256', await publicPem())
      .update(signed)
      .digest('base64url')}`;
  };
  const unknownCritical = async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'EdDSA', kid: key.kid, crit: ['weird'], weird: 1 })}.${part({ sub: 'u1', iss: 'weft', aud: 'weft', exp: seconds + 60 })}`;
    const signature = await crypto.subtle.sign('Ed25519', key.privateKey, new TextEncoder().encode(signed));
    return `${signed}.${Buffer.from(signature).toString('base64url')}`;
  };
  const tampered = async () => {
    const [header, , signature] = (await adasToken()).split('.');
    const claims = { ...ada, documents: { '*': 'owner' }, iss: 'weft', aud: 'weft', exp: seconds + 60 };
    return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
  };

  const cases: [string, () => Promise<string> | string, string][] = [
    ['expired', () => adasToken(NOW_MS - 2 * HOUR_MS), 'token expired'],
    ['not yet valid', () => odd({}, { nbf: seconds + 60 }), 'token is not valid yet'],
    ['foreign key, its own kid', () => odd({}, {}, foreign), 'token signed by an unknown key'],
    ['foreign key under our kid', () => odd({ kid: key.kid }, {}, foreign), 'token signature is wrong'],
    ['unknown kid', () => odd({ kid: 'nobody' }, {}), 'token signed by an unknown key'],
    ['no kid', () => odd({ kid: undefined }, {}), 'token signed by an unknown key'],
    [
      'alg none',
      () => new UnsecuredJWT({ sub: 'u1' }).setIssuer('weft').setAudience('weft').setExpirationTime('1h').encode(),
      'token is not signed with EdDSA',
    ],
    ['HS256 over our public key', hmacOverPublicKey, 'token is not signed with EdDSA'],
    ['a grant of the edge', () => odd({ typ: 'weft-grant+jwt' }, {}), 'this is no access token'],
    ['other issuer', () => odd({}, { iss: 'mallory' }), 'token is from another issuer'],
    ['no issuer', () => odd({}, { iss: undefined }), 'token lacks the claim iss'],
    ['other audience', () => odd({}, { aud: 'bank' }), 'token is for another audience'],
    ['no audience', () => odd({}, { aud: undefined }), 'token lacks the claim aud'],
    ['no expiry', () => odd({}, { exp: undefined }), 'token lacks the claim exp'],
    ['expiry that is no number', () => odd({}, { exp: 'tomorrow' }), 'token has a wrong claim exp'],
    ['no subject', () => odd({}, { sub: undefined }), 'token lacks the claim sub'],
    ['subject that is no text', () => odd({}, { sub: 7 }), 'token has a wrong claim sub'],
    ['unknown role', () => odd({}, { documents: { '*': 'god' } }), 'token has a wrong claim documents'],
    ['documents as a list', () => odd({}, { documents: ['*'] }), 'token has a wrong claim documents'],
    ['a name of 101 characters', () => odd({}, { name: 'x'.repeat(101) }), 'token has a wrong claim name'],
    ['critical header we do not know', unknownCritical, 'token is malformed'],
    ['claims changed after signing', tampered, 'token signature is wrong'],
    ['signature cut off', async () => `${(await adasToken()).slice(0, -20)}`, 'token signature is wrong'],
    ['garbage', () => 'not a token', 'token is malformed'],
    ['three dots of garbage', () => 'e30.e30.AAAA', 'token is malformed'],
    ['10 kB', () => 'x'.repeat(10_240), 'token is too long'],
    ['10 kB, well signed', () => odd({}, { filler: 'x'.repeat(10_240) }), 'token is too long'],
  ];

  test.each(cases)('%s', async (_what, make, reason) => {
    expect(await decide(await make())).toEqual({ allowed: false, status: 401, reason });
  });

  test('blanks are no guest', async () => {
    const decision = await decide(' ', 'plan', { guests: 'edit' });
    expect(decision).toMatchObject({ allowed: false, status: 401 });
  });
});

describe('[A3] whatever comes, there is a decision', () => {
  test('for any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary' }), async (token, document) => {
        expect(await decide(token, document)).toMatchObject({ allowed: false });
      }),
    );
  });

  test('for any change of one character in a right token: refused, or the same allowance', async () => {
    const token = await adasToken();
    const right = await decide(token);
    const changes = fc.tuple(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }));
    const tried = await Promise.all(
      fc.sample(changes, 200).map(([index, character]) => decide(token.slice(0, index) + character + token.slice(index + 1))),
    );
    // The last character of base64 may bear unused bits: the same signature in other words.
    const allowances = tried.filter((decision) => decision.allowed);
    expect(allowances).toEqual(allowances.map(() => right));
    expect(allowances.length).toBeLessThan(tried.length / 2);
  });

  test('for any header and claims in any JSON', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = fc.record({
      alg: fc.constantFrom('EdDSA', 'none', 'ES256', 'HS256', 7, null),
      kid: fc.constantFrom(key.kid, 1, null),
      crit: fc.jsonValue(),
    });
    await fc.assert(
      fc.asyncProperty(header, fc.jsonValue(), fc.base64String(), async (head, claims, signature) => {
        expect(await decide(`${part(head)}.${part(claims)}.${signature.replaceAll('=', '')}`)).toMatchObject({
          allowed: false,
          status: 401,
        });
      }),
    );
  });
});

describe('[A6] a guest', () => {
  const guest = (guests: 'edit' | 'read' | 'none') => decide('', 'plan', { guests });

  test('edits, reads or is asked for a token', async () => {
    expect(await guest('edit')).toMatchObject({ allowed: true, role: 'editor', who: { id: 'guest', name: 'Guest' } });
    expect(await guest('read')).toMatchObject({ allowed: true, role: 'viewer' });
    expect(await guest('none')).toEqual({ allowed: false, status: 401, reason: 'a token is needed' });
  });
});

test.each(['', '  ', 'a\0b', 'x'.repeat(256), 'ä'.repeat(128)])('the document name %j is refused', async (document) => {
  expect(await decide(await adasToken(), document)).toEqual({
    allowed: false,
    status: 403,
    reason: 'document name must have 1 to 255 bytes',
  });
});
