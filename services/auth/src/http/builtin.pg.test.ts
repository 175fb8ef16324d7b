import { InProcessBus } from '@weft/bus';
import { CacheUnavailable, MemoryCache } from '@weft/cache';
import { AUTH_CHANGED_SUBJECT, AuthClient, decodeChanged } from '@weft/grants';
import { Database, IdentityStore } from '@weft/store';
import { Metrics, createLogger } from '@weft/telemetry';
import { startPostgres } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { openBuiltin } from '../builtin.ts';
import { givenKeys } from '../keys/auth-keys.ts';
import { createAuth } from '../service.ts';
import type { AuthService } from '../service.ts';
import { generateSigningKeyPem, importSigningKey } from '../signing-key.ts';

const PASSWORD = 'correct horse battery staple';
const OWN = 'http://weft.example';
const LISTED = 'https://app.example';
const DAY_MS = 86_400_000;

let postgres: Awaited<ReturnType<typeof startPostgres>>;
let database: Database;
let cache: MemoryCache;
let bus: InProcessBus;
let auth: AuthService;
let lines: string[];

beforeAll(async () => void (postgres = await startPostgres()));
afterAll(() => postgres.stop());
beforeEach(async () => {
  lines = [];
  const logger = createLogger({ service: 'auth', level: 'trace', stream: { write: (line) => void lines.push(line) } });
  database = new Database({ url: await postgres.newDatabase(), applicationName: 'test' });
  await database.migrate();
  cache = new MemoryCache();
  bus = new InProcessBus({ logger });
  const keys = givenKeys(await importSigningKey(await generateSigningKeyPem()));
  const policy = { guests: 'none', signUp: true, sessionLifetimeMs: 30 * DAY_MS, auditKeptMs: DAY_MS } as const;
  const builtin = await openBuiltin({ database, cache, bus, keys, logger }, policy);
  auth = createAuth(
    { bus, keys, logger, builtin, metrics: new Metrics() },
    {
      ...policy,
      devSignIn: false,
      tokenLifetimeMs: 60_000,
      decider: { kind: 'builtin' },
      origins: [LISTED],
      trustedProxies: ['10.0.0.0/8'],
    },
  );
  await auth.run();
});
afterEach(async () => {
  await auth.stop();
  await bus.close();
  await database.close();
});

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly address?: string;
}
interface Tokens {
  readonly user: { readonly id: string };
  readonly accessToken: string;
  readonly refreshToken: string;
}

async function ask(method: string, path: string, { body, headers = {}, address = '192.0.2.1' }: Asked = {}) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const response = await auth.handleHttp({
    method,
    path,
    query: '',
    address,
    headers: { host: 'weft.example', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: new TextEncoder().encode(text),
  });
  const answer = new TextDecoder().decode(response.body);
  return { status: response.status, headers: response.headers, json: answer === '' ? undefined : JSON.parse(answer) };
}
/** One that hears of changes, as gateways do. */
function newGateway(): AuthClient {
  const own = bus.sibling();
  const gateway = new AuthClient(own, { timeoutMs: 20_000 });
  own.subscribe(AUTH_CHANGED_SUBJECT, ({ data }) => gateway.forget(decodeChanged(data)));
  return gateway;
}
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const signUp = async (userName: string): Promise<Tokens> =>
  (await ask('POST', '/auth/sign-up', { body: { userName, password: PASSWORD } })).json;
const errorOf = async (asked: ReturnType<typeof ask>) => {
  const { status, json } = await asked;
  return [status, json?.error?.code];
};
/** What a browser would keep of the answer, as it would send it. */
const cookieHeader = (headers: Readonly<Record<string, string | readonly string[]>>): string =>
  [headers['set-cookie'] ?? []]
    .flat()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ');

describe('programs', () => {
  test('[H1] the whole way: sign up, open, share, sign out; a gateway hears of it', async () => {
    const gateway = newGateway();
    const [ada, bob] = [await signUp('ada'), await signUp('bob')];
    expect(await gateway.check(ada.accessToken, 'notes/a b')).toMatchObject({ allowed: true, role: 'owner' });
    expect(await gateway.check(bob.accessToken, 'notes/a b')).toMatchObject({ allowed: false, status: 403 });
    const roles = '/auth/documents/notes%2Fa%20b/roles';
    const give = await ask('PUT', `${roles}/bob`, { ...bearer(ada.accessToken), body: { role: 'viewer' } });
    expect([give.status, give.json]).toEqual([200, { invited: false }]);
    expect(await gateway.check(bob.accessToken, 'notes/a b')).toMatchObject({ allowed: true, role: 'viewer' });
    expect((await ask('GET', roles, bearer(ada.accessToken))).json).toEqual({
      role: 'owner',
      link: 'none',
      people: [
        { name: 'ada', role: 'owner' },
        { name: 'bob', role: 'viewer' },
      ],
    });
    expect((await ask('GET', roles, bearer(bob.accessToken))).json).toEqual({ role: 'viewer', link: 'none' });
    expect((await ask('PUT', '/auth/documents/notes%2Fa%20b/link', { ...bearer(ada.accessToken), body: { access: 'edit' } })).status).toBe(
      204,
    );
    expect(await gateway.check(bob.accessToken, 'notes/a b')).toMatchObject({ role: 'editor' });
    expect((await ask('DELETE', `${roles}/bob`, bearer(ada.accessToken))).status).toBe(204);
    expect((await ask('POST', '/auth/sign-out', bearer(bob.accessToken))).status).toBe(204);
    expect(await gateway.check(bob.accessToken, 'notes/a b')).toMatchObject({ allowed: false, status: 401 });
    expect(await errorOf(ask('GET', '/auth/me', bearer(bob.accessToken)))).toEqual([401, 'signed-out']);
  });

  test('[AC15] a document is deleted and restored; a gateway hears of both', async () => {
    const gateway = newGateway();
    const [ada, bob] = [await signUp('ada'), await signUp('bob')];
    const path = '/auth/documents/notes%2Fa%20b';
    const check = (by: Tokens) => gateway.check(by.accessToken, 'notes/a b');
    const remove = (by: Tokens) => errorOf(ask('DELETE', path, bearer(by.accessToken)));
    const restore = (by: Tokens) => errorOf(ask('POST', `${path}/restore`, bearer(by.accessToken)));
    expect(await check(ada)).toMatchObject({ allowed: true, role: 'owner' });
    expect(await remove(bob)).toEqual([403, 'forbidden']);
    expect(await restore(ada)).toEqual([409, 'conflict']);
    expect(await remove(ada)).toEqual([204, undefined]);
    expect(await check(ada)).toEqual({ allowed: false, status: 403, reason: 'this document was deleted' });
    expect(await check(bob)).toMatchObject({ allowed: false, status: 403 });
    expect(await remove(ada)).toEqual([409, 'conflict']);
    expect(await errorOf(ask('PUT', `${path}/link`, { ...bearer(ada.accessToken), body: { access: 'edit' } }))).toEqual([409, 'conflict']);
    expect((await ask('GET', `${path}/roles`, bearer(ada.accessToken))).json).toMatchObject({
      role: 'owner',
      deletedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await restore(bob)).toEqual([403, 'forbidden']);
    expect(await restore(ada)).toEqual([204, undefined]);
    expect(await check(ada)).toMatchObject({ allowed: true, role: 'owner' });
    expect((await ask('GET', `${path}/roles`, bearer(ada.accessToken))).json).not.toHaveProperty('deletedAt');
    expect(await errorOf(ask('DELETE', '/auth/documents/%20', bearer(ada.accessToken)))).toEqual([400, 'bad-request']);
  });

  test('[H6] the OpenAPI document tells of every route of a document', async () => {
    const { paths } = (await ask('GET', '/auth/openapi.json')).json;
    const told = Object.entries(paths as Record<string, Record<string, { summary?: string }>>)
      .filter(([path]) => path.startsWith('/auth/documents/'))
      .flatMap(([path, methods]) => Object.entries(methods).map(([method, { summary }]) => [`${method} ${path}`, typeof summary]));
    expect(Object.fromEntries(told)).toEqual({
      'get /auth/documents/{name}/roles': 'string',
      'put /auth/documents/{name}/roles/{person}': 'string',
      'delete /auth/documents/{name}/roles/{person}': 'string',
      'put /auth/documents/{name}/link': 'string',
      'delete /auth/documents/{name}': 'string',
      'post /auth/documents/{name}/restore': 'string',
    });
  });

  test('[H4] personal tokens change rights, narrowed and service tokens nothing, and none of them the account', async () => {
    const ada = await signUp('ada');
    await new IdentityStore(database).setAdmin(ada.user.id, true);
    const make = async (body: object) => (await ask('POST', '/auth/tokens', { ...bearer(ada.accessToken), body })).json;
    const [whole, narrowed, service] = [
      await make({ label: 'whole' }),
      await make({ label: 'narrowed', documents: { '*': 'owner' }, expiresInDays: 1 }),
      await make({ label: 'service', kind: 'service', documents: { '*': 'editor' } }),
    ];
    const gateway = newGateway();
    await gateway.check(ada.accessToken, 'plan');
    const setLink = (token: string) => errorOf(ask('PUT', '/auth/documents/plan/link', { ...bearer(token), body: { access: 'read' } }));
    expect(await setLink(whole.secret)).toEqual([204, undefined]);
    for (const { secret } of [narrowed, service]) expect(await setLink(secret)).toEqual([403, 'forbidden']);
    for (const { secret } of [whole, narrowed, service]) {
      expect(await errorOf(ask('GET', '/auth/tokens', bearer(secret)))).toEqual([403, 'forbidden']);
      expect(await errorOf(ask('GET', '/auth/audit', bearer(secret)))).toEqual([403, 'forbidden']);
    }
    const { json } = await ask('GET', '/auth/tokens', bearer(ada.accessToken));
    expect(json.tokens).toHaveLength(3);
    expect(JSON.stringify(json)).not.toContain('weft_');
    expect((await ask('DELETE', `/auth/tokens/${whole.id}`, bearer(ada.accessToken))).status).toBe(204);
    expect(await setLink(whole.secret)).toEqual([401, 'wrong-token']);
  });

  test('[AC9] [AC11] admins disable people and read the audit log, others do not', async () => {
    const [ada, boss] = [await signUp('ada'), await signUp('boss')];
    await new IdentityStore(database).setAdmin(boss.user.id, true);
    const disable = (by: Tokens, id: string, body: unknown = { disabled: true }) =>
      errorOf(ask('PUT', `/auth/users/${id}/disabled`, { ...bearer(by.accessToken), body }));
    expect(await disable(ada, boss.user.id)).toEqual([403, 'forbidden']);
    expect(await disable(boss, ada.user.id, { disabled: 'yes' })).toEqual([400, 'bad-request']);
    expect(await disable(boss, ada.user.id)).toEqual([204, undefined]);
    expect(await errorOf(ask('GET', '/auth/me', bearer(ada.accessToken)))).toEqual([401, 'signed-out']);
    const { json } = await ask('GET', '/auth/audit', bearer(boss.accessToken));
    expect(json.entries[0]).toMatchObject({ event: 'user-disabled', actor: boss.user.id, subject: ada.user.id, address: '192.0.2.1' });
    expect(await errorOf(ask('GET', '/auth/audit', bearer(ada.accessToken)))).toEqual([401, 'signed-out']);
  });
});

describe('browsers', () => {
  const signInByCookies = async () => {
    await signUp('ada');
    const body = { account: 'ada', password: PASSWORD, cookies: true };
    return ask('POST', '/auth/sign-in', { body, headers: { origin: OWN } });
  };

  test('[H2] tokens in cookies: HttpOnly, Lax, the refresh token for /auth alone and not in the answer', async () => {
    const { headers, json } = await signInByCookies();
    const cookies = [headers['set-cookie'] ?? []].flat();
    expect(cookies).toHaveLength(2);
    expect(cookies[0]).toMatch(/^weft_access=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
    expect(cookies[1]).toMatch(/^weft_refresh=[^;]+; Path=\/auth; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
    expect(json).not.toHaveProperty('refreshToken');
    const cookie = cookieHeader(headers);
    expect((await ask('GET', '/auth/me', { headers: { cookie } })).json.user.name).toBe('ada');
    const refreshed = await ask('POST', '/auth/refresh', { headers: { cookie, origin: OWN } });
    expect(refreshed.status).toBe(200);
    expect(cookieHeader(refreshed.headers)).not.toBe(cookie);
    // The old cookie once more: the session is over, and the browser is told to forget both.
    const again = await ask('POST', '/auth/refresh', { headers: { cookie, origin: OWN } });
    expect([again.status, again.json.error.code]).toEqual([401, 'signed-out']);
    expect(cookieHeader(again.headers)).toBe('weft_access=; weft_refresh=');
    expect(await errorOf(ask('GET', '/auth/me', { headers: { cookie: cookieHeader(refreshed.headers) } }))).toEqual([401, 'signed-out']);
  });

  test('[H2] [H5] Secure where a trusted proxy says it came over TLS; nobody else has a say', async () => {
    await signUp('ada');
    const signIn = (address: string) =>
      ask('POST', '/auth/sign-in', {
        address,
        body: { account: 'ada', password: PASSWORD, cookies: true },
        headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' },
      });
    expect(String((await signIn('10.1.2.3')).headers['set-cookie'])).toContain('; Secure');
    expect(String((await signIn('192.0.2.7')).headers['set-cookie'])).not.toContain('; Secure');
    const { rows } = await database.query(`SELECT address FROM weft.audit_log WHERE event = 'sign-in' ORDER BY id`);
    expect(rows.map((row) => row['address'])).toEqual(['203.0.113.9', '192.0.2.7']);
  });

  test('[H3] a write by cookie from a foreign page, or from who does not say, changes nothing', async () => {
    const cookie = cookieHeader((await signInByCookies()).headers);
    const writes: [string, string, unknown?][] = [
      ['POST', '/auth/refresh'],
      ['POST', '/auth/sign-out'],
      ['POST', '/auth/sign-out-everywhere'],
      ['POST', '/auth/tokens', { label: 'x' }],
      ['PUT', '/auth/documents/plan/link', { access: 'edit' }],
      ['DELETE', '/auth/documents/plan/roles/ada'],
      ['DELETE', '/auth/documents/plan'],
      ['POST', '/auth/documents/plan/restore'],
    ];
    for (const [method, path, body] of writes) {
      for (const origin of [
        'https://evil.example',
        'null',
        'http://weft.example.evil.example',
        'http://evil.example/weft.example',
        undefined,
      ]) {
        const headers = { cookie, 'x-forwarded-host': 'evil.example', ...(origin === undefined ? {} : { origin }) };
        expect(await errorOf(ask(method, path, { body, headers })), `${method} ${path} ${origin}`).toEqual([403, 'wrong-origin']);
      }
    }
    expect((await ask('POST', '/auth/tokens', { body: { label: 'x' }, headers: { cookie, origin: LISTED } })).status).toBe(201);
    expect((await ask('POST', '/auth/sign-out', { headers: { cookie, origin: OWN } })).status).toBe(204);
  });

  test('[AC7] sign-out by cookie works after the access token has expired, and a bearer token goes before a cookie', async () => {
    const browser = await signInByCookies();
    const refresh = cookieHeader(browser.headers).split('; ')[1] ?? '';
    const bob = await signUp('bob');
    const bobs = { authorization: `Bearer ${bob.accessToken}`, cookie: refresh, origin: OWN };
    expect((await ask('POST', '/auth/sign-out', { headers: bobs })).status).toBe(204);
    expect(await errorOf(ask('GET', '/auth/me', bearer(bob.accessToken)))).toEqual([401, 'signed-out']);
    expect((await ask('GET', '/auth/me', bearer(browser.json.accessToken))).status).toBe(200);
    expect((await ask('POST', '/auth/sign-out', { headers: { cookie: refresh, origin: OWN } })).status).toBe(204);
    expect(await errorOf(ask('GET', '/auth/me', bearer(browser.json.accessToken)))).toEqual([401, 'signed-out']);
  });

  test('[H3] a foreign page signs nobody in under its own account', async () => {
    await signUp('mallory');
    const body = { account: 'mallory', password: PASSWORD, cookies: true };
    expect(await errorOf(ask('POST', '/auth/sign-in', { body, headers: { origin: 'https://evil.example' } }))).toEqual([
      403,
      'wrong-origin',
    ]);
  });

  test('[H3] CORS: listed origins may read, with credentials; others get no header', async () => {
    const preflight = (origin: string) =>
      ask('OPTIONS', '/auth/sign-in', {
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
      });
    const allowed = await preflight(LISTED);
    expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': LISTED, 'access-control-allow-credentials': 'true' });
    expect((await preflight('https://evil.example')).headers).not.toHaveProperty('access-control-allow-origin');
    expect((await ask('GET', '/auth/keys', { headers: { origin: LISTED } })).headers['access-control-allow-origin']).toBe(LISTED);
  });
});

describe('who tries things out', () => {
  test('[AC2] a wrong password and an unknown account get the same answer, byte for byte', async () => {
    await signUp('ada');
    const attempt = async (account: string) => {
      const { status, headers, json } = await ask('POST', '/auth/sign-in', { body: { account, password: 'wrong password' } });
      return { status, headers, json };
    };
    expect(await attempt('nobody')).toEqual(await attempt('ada'));
  });

  test('[AC6] [H5] attempts beyond the limit wait, and are told how long', async () => {
    await signUp('ada');
    const attempt = (index: number, password = 'wrong password') =>
      ask('POST', '/auth/sign-in', { body: { account: 'ada', password }, address: `198.51.100.${index}` });
    for (let index = 0; index < 6; index += 1) expect((await attempt(index)).status).toBe(401);
    const late = await attempt(7, PASSWORD);
    expect([late.status, late.json.error.code]).toEqual([429, 'too-many-attempts']);
    expect(Number(late.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });

  test('[AC16] [H5] refresh tokens worth nothing wait by the address a trusted proxy names; good ones of it go on', async () => {
    const ada = await signUp('ada');
    const refresh = (refreshToken: string, from = '203.0.113.9') =>
      ask('POST', '/auth/refresh', { address: '10.1.2.3', headers: { 'x-forwarded-for': from }, body: { refreshToken } });
    for (let index = 0; index < 21; index += 1) expect((await refresh('nobody’s')).status).toBe(401);
    // A pause begins with a second, and each failure after it doubles it: on a busy machine the first may be over before it is seen.
    await expect
      .poll(async () => {
        const { status, json, headers } = await refresh('nobody’s');
        return [status, json.error.code, Number(headers['retry-after']) >= 1];
      })
      .toEqual([429, 'too-many-attempts', true]);
    expect((await refresh('nobody’s', '203.0.113.10')).status).toBe(401);
    expect((await refresh(ada.refreshToken)).status).toBe(200);
    // A browser is told to forget a cookie that is worth nothing, also then.
    const headers = { 'x-forwarded-for': '203.0.113.9', cookie: 'weft_refresh=nobodys', origin: OWN };
    await expect
      .poll(async () => {
        const byCookie = await ask('POST', '/auth/refresh', { address: '10.1.2.3', headers });
        return [byCookie.status, cookieHeader(byCookie.headers)];
      })
      .toEqual([429, 'weft_access=; weft_refresh=']);
  });

  test('[AC6] a thousand attempts at once: a few are answered, all others turned away quickly, and questions are answered meanwhile', async () => {
    const ada = await signUp('ada');
    const gateway = newGateway();
    const startedMs = performance.now();
    const attempts = Array.from({ length: 1000 }, (_, index) =>
      ask('POST', '/auth/sign-in', {
        body: { account: `account ${index}`, password: 'wrong password' },
        address: `198.51.${index % 250}.${Math.trunc(index / 250)}`,
      }),
    );
    const decision = await gateway.check(ada.accessToken, 'plan');
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(decision).toMatchObject({ allowed: true });
    // Two are hashed at a time, 64 wait: a thousand accounts from a thousand addresses break no limit of theirs.
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(66);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });

  test('[AC3] ten kilobytes of password, and bodies of other shapes, are bad requests; no secret is quoted', async () => {
    const secret = `secret${'x'.repeat(10_240)}`;
    const bodies = [
      { account: 'ada', password: secret },
      { account: ['ada'], password: PASSWORD },
      { account: 'ada' },
      { account: 7, password: PASSWORD },
      { account: { $ne: '' }, password: PASSWORD },
    ];
    for (const body of bodies) {
      const { status, json } = await ask('POST', '/auth/sign-in', { body });
      expect([status, json.error.code]).toEqual([400, 'bad-request']);
      expect(json.error.message).not.toMatch(/secret|correct horse/);
    }
    expect(lines.join('')).not.toMatch(/secretx|correct horse/);
  });

  test('[ST20] SQL and NUL in every field: refused or plain text, never an error of ours', async () => {
    const ada = await signUp('ada');
    const nasty = [`'; DROP TABLE weft.users; --`, `\0`, `\ud800`, `" OR 1=1 /*`, '%00', '\\', '$1'];
    for (const text of nasty) {
      const part = encodeURIComponent(text.replaceAll(/\p{Cs}/gu, '?'));
      const asked = [
        ask('POST', '/auth/sign-up', { body: { userName: text, email: `${text}@x`, password: `${text}${PASSWORD}` } }),
        ask('POST', '/auth/sign-in', { body: { account: text, password: text } }),
        ask('POST', '/auth/refresh', { body: { refreshToken: text } }),
        ask('POST', '/auth/tokens', { ...bearer(ada.accessToken), body: { label: text, documents: { [text]: 'viewer' } } }),
        ask('DELETE', `/auth/tokens/${part}`, bearer(ada.accessToken)),
        ask('GET', `/auth/documents/${part}/roles`, bearer(ada.accessToken)),
        ask('DELETE', `/auth/documents/${part}`, bearer(ada.accessToken)),
        ask('POST', `/auth/documents/${part}/restore`, bearer(ada.accessToken)),
        ask('PUT', `/auth/documents/${part}/roles/${part}`, { ...bearer(ada.accessToken), body: { role: 'owner' } }),
        ask('PUT', `/auth/users/${part}/disabled`, { ...bearer(ada.accessToken), body: { disabled: true } }),
      ];
      for (const { status } of await Promise.all(asked)) expect([200, 201, 400, 401, 403, 404, 409, 429], text).toContain(status);
    }
    expect((await database.query('SELECT count(*)::int AS n FROM weft.users')).rows[0]?.['n']).toBeGreaterThanOrEqual(1);
    expect(lines.join('')).not.toContain('could not be answered');
  });

  test('[AC6] without the cache nobody signs in, who is signed in goes on, and 503 says when to come again', async () => {
    const ada = await signUp('ada');
    cache.get = () => Promise.reject(new CacheUnavailable('away'));
    const { status, headers, json } = await ask('POST', '/auth/sign-in', { body: { account: 'ada', password: PASSWORD } });
    expect([status, json.error.code, headers['retry-after']]).toEqual([503, 'unavailable', '2']);
    expect((await ask('POST', '/auth/refresh', { body: { refreshToken: ada.refreshToken } })).status).toBe(200);
    for (let index = 0; index < 30; index += 1) {
      expect((await ask('POST', '/auth/refresh', { body: { refreshToken: 'nobody’s' } })).status).toBe(401);
    }
  });

  test('[BD6] without Postgres: 503, and no word about why', async () => {
    const ada = await signUp('ada');
    await database.close();
    for (const asked of [
      ask('GET', '/auth/me', bearer(ada.accessToken)),
      ask('POST', '/auth/sign-in', { body: { account: 'ada', password: PASSWORD } }),
    ]) {
      const { status, headers, json } = await asked;
      expect([status, headers['retry-after'], json]).toEqual([
        503,
        '1',
        { error: { code: 'unavailable', message: 'this cannot be done at the moment: try again' } },
      ]);
    }
  });
});
