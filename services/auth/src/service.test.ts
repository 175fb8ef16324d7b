import { BusTimeout, InProcessBus } from '@weft/bus';
import { AUTH_CHECK_SUBJECT, AuthClient, AuthUnavailable } from '@weft/grants';
import { Metrics, createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { HttpServer } from './http/listen.ts';
import { givenKeys } from './keys/auth-keys.ts';
import { createAuth } from './service.ts';
import type { AuthService } from './service.ts';
import { generateSigningKeyPem, importSigningKey } from './signing-key.ts';
import { signToken } from './token.ts';

let lines: string[];
let bus: InProcessBus;
let auth: AuthService;
let server: HttpServer;
let metrics: Metrics;
const logger = createLogger({ service: 'auth', level: 'trace', stream: { write: (line) => void lines.push(line) } });

beforeEach(async () => {
  lines = [];
  bus = new InProcessBus({ logger });
  metrics = new Metrics();
  const key = await importSigningKey(await generateSigningKeyPem());
  auth = createAuth({ bus, keys: givenKeys(key), logger, metrics }, { guests: 'none', devSignIn: true, tokenLifetimeMs: 60_000 });
  server = await auth.listen({ host: '127.0.0.1', port: 0 });
  await auth.run();
});
afterEach(async () => {
  await auth.stop();
  await server.close();
  await bus.close();
});

const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  fetch(`http://127.0.0.1:${server.port}/auth/dev/sign-in`, { method: 'POST', headers, body });

test('somebody signs in over HTTP, and a gateway asks about the token over the bus', async () => {
  const response = await post(JSON.stringify({ name: 'Ada', documents: { plan: 'editor' } }));
  const { token } = (await response.json()) as { token: string };
  const gateway = new AuthClient(bus.sibling(), { timeoutMs: 2000 });
  expect(await gateway.check(token, 'plan')).toMatchObject({ allowed: true, role: 'editor', who: { name: 'Ada' } });
  expect(await gateway.check(token, 'other')).toMatchObject({ allowed: false, status: 403 });
  expect(await gateway.check('', 'plan')).toEqual({ allowed: false, status: 401, reason: 'a token is needed' });
  expect(await metrics.text()).toMatch(/weft_auth_decisions_total\{outcome="refused"\} 2/);
});

test('[A7] a malformed question is left unanswered, and no token reaches the log', async () => {
  const key = await importSigningKey(await generateSigningKeyPem());
  const { token } = await signToken(key, { sub: 'u', name: 'U', documents: {} }, Date.now(), 1000);
  const ask = (text: string) => bus.request(AUTH_CHECK_SUBJECT, new TextEncoder().encode(text), { timeoutMs: 100 });
  await expect(ask(`{"token":"${token}"`)).rejects.toThrow(BusTimeout);
  await expect(ask(`{"token":"${token}"}`)).rejects.toThrow(BusTimeout);
  await new AuthClient(bus.sibling(), { timeoutMs: 2000 }).check(token, 'plan');
  expect(lines).toHaveLength(2);
  for (const part of token.split('.')) expect(lines.join('')).not.toContain(part);
});

test('[A9] a body of a megabyte is refused with 413, and the next request is answered', async () => {
  const response = await post(`{"name":"${'x'.repeat(1 << 20)}"}`);
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ error: { code: 'body-too-large' } });
  expect((await post('{"name":"Ada"}')).status).toBe(200);
});

test('a drained auth answers what it took, and takes no more', async () => {
  const gateway = new AuthClient(bus.sibling(), { timeoutMs: 2000 });
  const taken = gateway.check('x', 'plan');
  await new Promise((resolve) => setImmediate(resolve));
  await auth.drain();
  expect(await taken).toMatchObject({ allowed: false });
  await expect(gateway.check('y', 'plan')).rejects.toThrow(AuthUnavailable);
});
