/** Tokens that somebody made up: each is refused by each decider that reads tokens, with 401, and nothing of it is logged. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

import { exportJWK, exportSPKI } from 'jose';
import { createLogger } from '@weft/telemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { generateSigningKeyPem, importSigningKey, verifyingKeys } from '../signing-key.ts';
import { ClaimsDecider } from './claims.ts';
import type { Decider } from './decider.ts';
import { ForeignIssuer, newIssuerKey } from './foreign-issuer.test-data.ts';
import type { IssuerKey } from './foreign-issuer.test-data.ts';
import { TokensDecider } from './tokens.ts';

const policy = { guests: 'none' } as const;
const lines: string[] = [];
const logger = createLogger({ service: 'auth', level: 'trace', stream: { write: (line) => void lines.push(line) } });
const nowS = () => Math.floor(Date.now() / 1000);

/** A decider with a key that it believes, and what the claims of a right token are. */
interface Target {
  readonly decider: Decider;
  readonly key: Pick<IssuerKey, 'kid' | 'alg' | 'privateKey' | 'publicKey'>;
  readonly claims: Record<string, unknown>;
}

const targets = new Map<string, Target>();
let issuer: ForeignIssuer;
let mallory: IssuerKey;
beforeAll(async () => {
  const key = await importSigningKey(await generateSigningKeyPem());
  const keys = verifyingKeys(key);
  issuer = await ForeignIssuer.start('RS256');
  mallory = await newIssuerKey('mallory', 'RS256');
  const claims = { sub: 'u1', documents: { '*': 'owner' }, exp: nowS() + 600 };
  targets.set('tokens', {
    decider: new TokensDecider({ keys: () => keys, now: Date.now, policy }),
    key: { ...key, alg: 'EdDSA' },
    claims: { ...claims, iss: 'weft', aud: 'weft' },
  });
  const config = { jwksUrl: issuer.url, issuer: issuer.issuer, audience: issuer.audience, documentsClaim: 'documents' };
  targets.set('claims', {
    decider: new ClaimsDecider({ config, policy, logger, now: Date.now, cooldownMs: 50 }),
    key: issuer.current,
    claims: { ...claims, iss: issuer.issuer, aud: issuer.audience },
  });
});
afterAll(() => issuer.stop());

const part = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Header and payload as they are given, be they text, under a right signature of `key`. */
async function signed(header: unknown, payload: unknown, key: Pick<IssuerKey, 'alg' | 'privateKey'>): Promise<string> {
  const text = `${part(header)}.${part(payload)}`;
  const algorithm = key.alg === 'EdDSA' ? 'Ed25519' : 'RSASSA-PKCS1-v1_5';
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, Buffer.from(text));
  return `${text}.${Buffer.from(signature).toString('base64url')}`;
}

/** A right token of so many characters. */
function ofLength(length: number, { key, claims }: Target): Promise<string> {
  const signature = key.alg === 'EdDSA' ? 86 : 342;
  for (let pad = 0; pad < 4; pad++) {
    const header = { alg: key.alg, kid: key.kid, pad: 'x'.repeat(pad) };
    for (let filled = 5000; filled < 7000; filled++) {
      const payload = { ...claims, filler: 'x'.repeat(filled) };
      if (part(header).length + part(payload).length + signature + 2 === length) return signed(header, payload, key);
    }
  }
  throw new Error(`there is no token of ${length} characters`);
}

type Attack = (target: Target) => Promise<string> | string;
const withHeader =
  (header: (key: Target['key']) => Record<string, unknown> | Promise<Record<string, unknown>>): Attack =>
  async ({ key, claims }) =>
    signed({ alg: key.alg, kid: key.kid, ...(await header(key)) }, claims, key);
const withClaims =
  (change: Record<string, unknown>): Attack =>
  ({ key, claims }) =>
    signed({ alg: key.alg, kid: key.kid }, { ...claims, ...change }, key);
/** Signed by Mallory, who says in the header where her key is to be had. */
const byMallory =
  (header: () => Record<string, unknown> | Promise<Record<string, unknown>>): Attack =>
  async ({ claims }) =>
    signed({ alg: mallory.alg, kid: mallory.kid, ...(await header()) }, claims, mallory);

const hmacOverPublicKey =
  (alg: string, hash: string, secret: (key: Target['key']) => Promise<string>): Attack =>
  async ({ key, claims }) => {
    const text = `${part({ alg, kid: key.kid })}.${part(claims)}`;
    return `${text}.${createHmac(hash, await secret(key))
      .update(text)
      .digest('base64url')}`;
  };

const attacks: readonly (readonly [string, Attack])[] = [
  ['alg none, without a signature', ({ key, claims }) => `${part({ alg: 'none', kid: key.kid })}.${part(claims)}.`],
  ['alg None', ({ key, claims }) => `${part({ alg: 'None', kid: key.kid })}.${part(claims)}.`],
  ['alg nOnE with a right signature', withHeader(() => ({ alg: 'nOnE' }))],
  ['no alg at all', withHeader(() => ({ alg: undefined }))],
  ['HS256 with the public key (PEM) as the secret', hmacOverPublicKey('HS256', 'sha256', (key) => exportSPKI(key.publicKey))],
  ['HS512 with the public key (PEM) as the secret', hmacOverPublicKey('HS512', 'sha512', (key) => exportSPKI(key.publicKey))],
  [
    'HS256 with the public key (JWK) as the secret',
    hmacOverPublicKey('HS256', 'sha256', async (key) => JSON.stringify(await exportJWK(key.publicKey))),
  ],
  ['HS256 with no secret', hmacOverPublicKey('HS256', 'sha256', async () => '')],
  ['expired', withClaims({ exp: nowS() - 60 })],
  ['expired for ever', withClaims({ exp: -1 })],
  ['no end', withClaims({ exp: undefined })],
  ['an end that is a text', withClaims({ exp: '9999999999' })],
  ['not yet valid', withClaims({ nbf: nowS() + 60 })],
  ['a wrong audience', withClaims({ aud: 'bank' })],
  ['many wrong audiences', withClaims({ aud: ['bank', 'shop'] })],
  ['no audience', withClaims({ aud: undefined })],
  ['a wrong issuer', withClaims({ iss: 'https://mallory.example' })],
  [
    'an issuer that begins right',
    ({ key, claims }) => signed({ alg: key.alg, kid: key.kid }, { ...claims, iss: `${String(claims['iss'])}/` }, key),
  ],
  ['no issuer', withClaims({ iss: undefined })],
  ['no subject', withClaims({ sub: undefined })],
  ['a subject that is an object', withClaims({ sub: { toString: 'u1' } })],
  ['rights that are a text', withClaims({ documents: '*' })],
  ['rights of an unknown role', withClaims({ documents: { '*': 'root' } })],
  ['unknown kid', withHeader(() => ({ kid: 'nobody' }))],
  ['kid that is a path', withHeader(() => ({ kid: '../../../../dev/null' }))],
  ['kid that is a path with a zero', withHeader(() => ({ kid: '/etc/passwd\0.pem' }))],
  ['kid that is SQL', withHeader(() => ({ kid: "' UNION SELECT 'key' --" }))],
  ['kid that objects have by themselves', withHeader(() => ({ kid: '__proto__' }))],
  ['kid that is a number', withHeader(() => ({ kid: 7 }))],
  ['kid that is a list with the right one', withHeader((key) => ({ kid: [key.kid] }))],
  ['another key under the right kid', async ({ key, claims }) => signed({ alg: mallory.alg, kid: key.kid }, claims, mallory)],
  ['jwk in the header', byMallory(() => ({ jwk: mallory.publicJwk }))],
  [
    'jwk in the header under the right kid',
    async ({ key, claims }) => signed({ alg: mallory.alg, kid: key.kid, jwk: { ...mallory.publicJwk, kid: key.kid } }, claims, mallory),
  ],
  ['jku in the header', byMallory(() => ({ jku: `${issuer.url}?mallory` }))],
  ['x5u in the header', byMallory(() => ({ x5u: `${issuer.url}/cert.pem` }))],
  ['x5c in the header', byMallory(async () => ({ x5c: [(await exportSPKI(mallory.publicKey)).replaceAll(/-----.*?-----|\s/g, '')] }))],
  ['a critical header nobody knows', withHeader(() => ({ crit: ['exp'], exp: 1 }))],
  ['an unencoded payload (b64: false)', withHeader(() => ({ crit: ['b64'], b64: false }))],
  [
    'a payload changed after signing',
    async ({ key, claims }) => {
      const [header, , signature] = (await signed({ alg: key.alg, kid: key.kid }, { ...claims, documents: {} }, key)).split('.');
      return `${header}.${part(claims)}.${signature}`;
    },
  ],
  [
    'a header changed after signing',
    async ({ key, claims }) => {
      const [, payload, signature] = (await signed({ alg: key.alg, kid: key.kid, typ: 'x' }, claims, key)).split('.');
      return `${part({ alg: key.alg, kid: key.kid })}.${payload}.${signature}`;
    },
  ],
  [
    'the signature of another token',
    async ({ key, claims }) => {
      const other = await signed({ alg: key.alg, kid: key.kid }, { ...claims, sub: 'u2' }, key);
      return `${part({ alg: key.alg, kid: key.kid })}.${part(claims)}.${other.split('.')[2]}`;
    },
  ],
  ['no signature', ({ key, claims }) => `${part({ alg: key.alg, kid: key.kid })}.${part(claims)}.`],
  [
    'a signature of zeros (psychic)',
    ({ key, claims }) => `${part({ alg: 'ES256', kid: key.kid })}.${part(claims)}.${Buffer.alloc(64).toString('base64url')}`,
  ],
  [
    'an elliptic signature under the right kid',
    ({ key, claims }) => {
      const text = `${part({ alg: 'ES256', kid: key.kid })}.${part(claims)}`;
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    },
  ],
  [
    'two signatures (general JSON)',
    async (target) => {
      const [header, payload, signature] = (await signed({ alg: target.key.alg, kid: target.key.kid }, target.claims, target.key)).split(
        '.',
      );
      return JSON.stringify({ payload, signatures: [{ protected: header, signature }] });
    },
  ],
  ['a payload that is a list', ({ key }) => signed({ alg: key.alg, kid: key.kid }, [], key)],
  ['a payload that is no JSON', ({ key }) => signed({ alg: key.alg, kid: key.kid }, '{"sub"', key)],
  [
    'five parts (JWE)',
    ({ key, claims }) => `${part({ alg: 'dir', enc: 'A128GCM', kid: key.kid })}..${part('iv')}.${part(claims)}.${part('tag')}`,
  ],
  ['a blank before it', async (target) => ` ${await signed({ alg: target.key.alg, kid: target.key.kid }, target.claims, target.key)}`],
  ['8 KiB and 1 byte, well signed', (target) => ofLength(8193, target)],
];

describe.each(['tokens', 'claims'])('%s', (kind) => {
  test('believes its own', async () => {
    const { decider, key, claims } = targets.get(kind)!;
    const token = await signed({ alg: key.alg, kid: key.kid }, claims, key);
    expect(await decider.decide({ token, document: 'plan' })).toMatchObject({ allowed: true, role: 'owner', who: { id: 'u1' } });
  });

  test.each(attacks)('refuses %s', async (_what, attack) => {
    const token = await attack(targets.get(kind)!);
    const before = lines.length;
    expect(await targets.get(kind)!.decider.decide({ token, document: 'plan' })).toMatchObject({ allowed: false, status: 401 });
    const said = lines.slice(before).join('');
    for (const piece of token.split('.').filter(({ length }) => length > 4)) expect(said).not.toContain(piece);
  });

  test('takes no HMAC before it looks for a key, whatever the header says', async () => {
    const attack = hmacOverPublicKey('HS256', 'sha256', async () => 'any');
    const token = await attack(targets.get(kind)!);
    expect(await targets.get(kind)!.decider.decide({ token, document: 'plan' })).toMatchObject({
      reason: expect.stringMatching(/^token is not signed with/),
    });
  });

  test('reads the last of two claims of one name, as the JSON of whoever signed it does', async () => {
    const { decider, key, claims } = targets.get(kind)!;
    const doubled = JSON.stringify(claims).replace('"sub":"u1"', '"sub":"mallory","sub":"u1"');
    const token = await signed({ alg: key.alg, kid: key.kid }, doubled, key);
    expect(await decider.decide({ token, document: 'plan' })).toMatchObject({ allowed: true, who: { id: 'u1' } });
  });

  test('believes one of exactly 8 KiB', async () => {
    const token = await ofLength(8192, targets.get(kind)!);
    expect(token).toHaveLength(8192);
    expect(await targets.get(kind)!.decider.decide({ token, document: 'plan' })).toMatchObject({ allowed: true });
  });

  test('asks nobody that a token names', async () => {
    const elsewhere = await ForeignIssuer.start();
    const { decider } = targets.get(kind)!;
    const token = await byMallory(() => ({ jku: elsewhere.url, x5u: elsewhere.url }))(targets.get(kind)!);
    expect(await decider.decide({ token, document: 'plan' })).toMatchObject({ allowed: false, status: 401 });
    expect(elsewhere.fetches).toBe(0);
    await elsewhere.stop();
  });
});
