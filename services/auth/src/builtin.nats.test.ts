import { NatsBus } from '@weft/bus';
import { AUTH_CHANGED_SUBJECT, AuthClient, decodeChanged } from '@weft/grants';
import type { Changed } from '@weft/grants';
import { startNats, startPostgres, startRedis } from '@weft/testkit';
import { Metrics, createLogger } from '@weft/telemetry';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { AuthProcess } from './auth-process.ts';
import { readAuthConfig } from './config.ts';

const logger = createLogger({ service: 'auth', level: 'silent' });
const PASSWORD = 'correct horse battery staple';
let nats: Awaited<ReturnType<typeof startNats>>;
let postgres: Awaited<ReturnType<typeof startPostgres>>;
let redis: Awaited<ReturnType<typeof startRedis>>;
let bus: NatsBus;
let processes: AuthProcess[];

beforeAll(async () => {
  [nats, postgres, redis] = await Promise.all([startNats(), startPostgres(), startRedis()]);
  const env = {
    WEFT_AUTH: 'builtin',
    WEFT_NATS_URL: nats.url,
    WEFT_POSTGRES_URL: await postgres.newDatabase(),
    WEFT_REDIS_URL: redis.url,
    WEFT_AUTH_HOST: '127.0.0.1',
    WEFT_AUTH_PORT: '0',
    WEFT_OPS_HOST: '127.0.0.1',
    WEFT_OPS_PORT: '0',
  };
  processes = [0, 1].map(() => new AuthProcess(readAuthConfig(env), logger, new Metrics()));
  await Promise.all(processes.map((one) => one.run()));
  bus = await NatsBus.connect({ url: nats.url, name: 'test', logger });
});
afterAll(async () => {
  await Promise.all(processes.map((one) => one.stop()));
  await bus.close();
  await Promise.all([nats.stop(), postgres.stop(), redis.stop()]);
});

interface Tokens {
  readonly user: { readonly id: string };
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** At one of the two. */
async function post(at: 0 | 1, path: string, body: object, token = ''): Promise<{ status: number; json: Tokens }> {
  const response = await fetch(`http://127.0.0.1:${processes[at]?.port}/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

test('[AC7] [AC11] two processes, one house: signed up at one, out at the other, and every gateway hears of it', async () => {
  const { json: ada } = await post(0, 'sign-up', { userName: 'ada', password: PASSWORD });
  const gateway = new AuthClient(bus, { timeoutMs: 10_000 });
  const heard = new Promise<Changed>((resolve) => bus.subscribe(AUTH_CHANGED_SUBJECT, ({ data }) => resolve(decodeChanged(data))));
  await bus.flush();
  const questions = Array.from({ length: 20 }, (_, index) => gateway.check(ada.accessToken, `document ${index}`));
  expect((await Promise.all(questions)).map((decision) => decision.allowed && decision.role)).toEqual(questions.map(() => 'owner'));
  const { json: next } = await post(1, 'refresh', { refreshToken: ada.refreshToken });
  expect((await post(1, 'sign-out', {}, next.accessToken)).status).toBe(204);
  expect(await heard).toMatchObject({ user: ada.user.id, session: expect.any(String) });
  const fresh = new AuthClient(bus, { timeoutMs: 10_000 });
  expect(await fresh.check(next.accessToken, 'document 1')).toMatchObject({ allowed: false, status: 401 });
  expect((await post(0, 'refresh', { refreshToken: next.refreshToken })).status).toBe(401);
});

test('[AC5] the same refresh token at both at once: nobody stays signed in', async () => {
  const { json: bob } = await post(0, 'sign-up', { userName: 'bob', password: PASSWORD });
  const both = await Promise.all([0, 1].map((at) => post(at as 0 | 1, 'refresh', { refreshToken: bob.refreshToken })));
  expect(both.map(({ status }) => status)).toContain(401);
  for (const { json } of both) {
    if (json?.refreshToken === undefined) continue;
    expect((await post(0, 'refresh', { refreshToken: json.refreshToken })).status).toBe(401);
  }
});

test('[AC6] attempts at both count as one account’s; without Redis nobody signs in, and who is in goes on', async () => {
  const { json: eve } = await post(0, 'sign-up', { userName: 'eve', password: PASSWORD });
  const attempts = await Promise.all(
    Array.from({ length: 20 }, (_, index) => post((index % 2) as 0 | 1, 'sign-in', { account: 'eve', password: 'wrong password' })),
  );
  const answered = attempts.filter(({ status }) => status === 401).length;
  expect(answered).toBeGreaterThanOrEqual(5);
  expect(answered).toBeLessThan(10);
  await redis.kill();
  expect((await post(0, 'sign-in', { account: 'ada', password: PASSWORD })).status).toBe(503);
  expect((await post(1, 'refresh', { refreshToken: eve.refreshToken })).status).toBe(200);
  expect(await new AuthClient(bus, { timeoutMs: 10_000 }).check(eve.accessToken, 'eve’s')).toMatchObject({ allowed: true });
  await redis.start();
  await expect.poll(async () => (await post(0, 'sign-in', { account: 'ada', password: PASSWORD })).status, { timeout: 20_000 }).toBe(200);
});
