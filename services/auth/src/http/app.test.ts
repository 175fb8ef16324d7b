import { createLogger } from '@weft/telemetry';
import { beforeAll, describe, expect, test } from 'vitest';

import { TokensDecider } from '../deciders/tokens.ts';
import { givenKeys } from '../keys/auth-keys.ts';
import { generateSigningKeyPem, importSigningKey, verifyingKeys } from '../signing-key.ts';
import type { SigningKey } from '../signing-key.ts';
import { createAuthApp } from './app.ts';
import { carry } from './carry.ts';
import type { HttpRequest } from './carry.ts';
import { BODY_BYTES_MAX } from './failure.ts';

const NOW_MS = 1_800_000_000_000;
let key: SigningKey;
beforeAll(async () => {
  key = await importSigningKey(await generateSigningKeyPem());
});

const JSON_HEADERS = { 'content-type': 'application/json' };
const now = () => NOW_MS;
const decider = () => new TokensDecider({ keys: () => verifyingKeys(key), now, policy: { guests: 'none' } });

async function send(request: Partial<Omit<HttpRequest, 'body'>> & { path: string; body?: unknown }, devSignIn = true) {
  const text = typeof request.body === 'string' ? request.body : JSON.stringify(request.body ?? {});
  const app = createAuthApp({
    keys: givenKeys(key),
    devSignIn,
    tokenLifetimeMs: 60_000,
    now,
    logger: createLogger({ service: 'auth', level: 'silent' }),
    verify: { decider: decider(), signer: () => key, now },
    origins: [],
    trustedProxies: [],
  });
  const response = await carry(app, { method: 'POST', query: '', headers: JSON_HEADERS, ...request, body: new TextEncoder().encode(text) });
  await app.close();
  return { status: response.status, headers: response.headers, json: JSON.parse(new TextDecoder().decode(response.body)) };
}

const signIn = (body: unknown, rest: Partial<HttpRequest> = {}) => send({ path: '/auth/dev/sign-in', ...rest, body });

describe('development sign-in', () => {
  test('gives a token that auth itself takes', async () => {
    const { status, json } = await signIn({ name: ' Ada ', documents: { 'notes/*': 'viewer' } });
    expect(status).toBe(200);
    expect(json.expiresAt).toBe(new Date(NOW_MS + 60_000).toISOString());
    const decision = await decider().decide({ token: json.token, document: 'notes/1' });
    expect(decision).toMatchObject({ allowed: true, role: 'viewer', who: { id: 'dev:Ada', name: 'Ada' } });
  });

  test('a role alone is for every document, editor unless said', async () => {
    const asks = async (body: unknown) => decider().decide({ token: (await signIn(body)).json.token, document: 'x' });
    expect(await asks({ name: 'Ada' })).toMatchObject({ role: 'editor' });
    expect(await asks({ name: 'Ada', role: 'commenter' })).toMatchObject({ role: 'commenter' });
  });

  test('[A9] is not there where it is not switched on', async () => {
    expect(await send({ path: '/auth/dev/sign-in', body: { name: 'Ada' } }, false)).toMatchObject({
      status: 404,
      json: { error: { code: 'not-found' } },
    });
  });

  test.each([
    [400, 'bad-request', '{'],
    [400, 'bad-request', '[]'],
    [400, 'bad-request', {}],
    [400, 'bad-request', { name: '   ' }],
    [400, 'bad-request', { name: 'x'.repeat(101) }],
    [400, 'bad-request', { name: 'Ada', role: 'god' }],
    [400, 'bad-request', { name: 'Ada', documents: ['*'] }],
    [400, 'bad-request', { name: 'Ada', documents: { '*': 'god' } }],
    [413, 'body-too-large', { name: 'Ada', filler: 'x'.repeat(BODY_BYTES_MAX) }],
  ])('[A9] answers %i %s to a wrong body', async (status, code, body) => {
    expect(await signIn(body)).toMatchObject({ status, json: { error: { code, message: expect.any(String) } } });
  });

  test('[A9] a form of another origin, or a GET, is refused', async () => {
    expect(await signIn({ name: 'Ada' }, { headers: { 'content-type': 'text/plain' } })).toMatchObject({ status: 415 });
    expect(await signIn({ name: 'Ada' }, { headers: {} })).toMatchObject({ status: 415 });
    expect(await signIn({ name: 'Ada' }, { method: 'GET' })).toMatchObject({ status: 405 });
  });
});

test('the keys are the public half alone', async () => {
  const { status, json } = await send({ method: 'GET', path: '/auth/keys' });
  expect(status).toBe(200);
  expect(json).toEqual({ keys: [key.publicJwk] });
  expect(json.keys[0]).not.toHaveProperty('d');
});

test('any other path is not found', async () => {
  expect(await send({ path: '/auth/' })).toMatchObject({
    status: 404,
    json: { error: { code: 'not-found', message: expect.any(String) } },
  });
});

test('[H6] a path that is no path, and a method nobody knows, get the shape of every error', async () => {
  expect(await send({ path: '/auth/%zz' })).toMatchObject({ status: 400, json: { error: { code: 'bad-request' } } });
  expect(await send({ path: '/auth/keys', method: 'TRACE' })).toMatchObject({
    status: 405,
    json: { error: { code: 'method-not-allowed' } },
  });
  expect(await send({ path: '/auth/dev/sign-in', body: '{"name":"Ada","__proto__":{"x":1}}' })).toMatchObject({ status: 400 });
});

test('[H6] the OpenAPI document tells of every route', async () => {
  const { status, json } = await send({ method: 'GET', path: '/auth/openapi.json' });
  expect(status).toBe(200);
  expect(json.openapi).toMatch(/^3\./);
  expect(Object.keys(json.paths)).toEqual(expect.arrayContaining(['/auth/keys', '/auth/dev/sign-in', '/auth/verify']));
});
