import { NatsBus } from '@weft/bus';
import { AUTH_CHANGED_SUBJECT, AuthClient, AuthUnavailable, encodeChanged } from '@weft/grants';
import { Metrics, createLogger } from '@weft/telemetry';
import { startNats } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { AuthProcess } from '../auth-process.ts';
import { readAuthConfig } from '../config.ts';
import { generateSigningKeyPem } from '../signing-key.ts';
import { ForeignIssuer } from './foreign-issuer.test-data.ts';
import { ALLOWS, WebhookBackend, says } from './webhook-backend.test-data.ts';

const logger = createLogger({ service: 'auth', level: 'silent' });
let nats: Awaited<ReturnType<typeof startNats>>;
let bus: NatsBus;
beforeAll(async () => {
  nats = await startNats();
  bus = await NatsBus.connect({ url: nats.url, name: 'test', logger });
}, 60_000);
const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0)) await one();
});
afterAll(async () => {
  await bus.close();
  await nats.stop();
});

/** Auth as a process has it, and gateways that ask it: a new one keeps nothing from before. */
async function startAuth(env: Record<string, string>): Promise<() => AuthClient> {
  const rest = { WEFT_AUTH_HOST: '127.0.0.1', WEFT_AUTH_PORT: '0', WEFT_OPS_HOST: '127.0.0.1', WEFT_OPS_PORT: '0' };
  const config = readAuthConfig({ WEFT_NATS_URL: nats.url, WEFT_AUTH_KEY: await generateSigningKeyPem(), ...rest, ...env });
  const auth = new AuthProcess(config, logger, new Metrics());
  await auth.run();
  undo.push(() => auth.stop());
  return () => new AuthClient(bus, { timeoutMs: 8000 });
}

test('[A30] [A31] WEFT_AUTH=claims: an issuer’s token is taken, and its rotation costs no refusal', async () => {
  const issuer = await ForeignIssuer.start('ES256');
  const gateway = await startAuth({
    WEFT_AUTH: 'claims',
    WEFT_AUTH_JWKS_URL: issuer.url,
    WEFT_AUTH_ISSUER: issuer.issuer,
    WEFT_AUTH_AUDIENCE: issuer.audience,
  });
  undo.push(() => issuer.stop());
  expect(await gateway().check(await issuer.token(), 'plan')).toMatchObject({ allowed: true, role: 'editor', who: { id: 'u1' } });
  await issuer.addKey();
  issuer.keys.shift();
  // Just fetched: this one waits until the keys may be fetched again.
  expect(await gateway().check(await issuer.token(), 'plan')).toMatchObject({ allowed: true });
}, 30_000);

test('[A42] [A45] WEFT_AUTH=webhook: a change ends what was kept, and a backend that fails is no answer', async () => {
  const backend = await WebhookBackend.start();
  const gateway = await startAuth({
    WEFT_AUTH: 'webhook',
    WEFT_AUTH_WEBHOOK_URL: backend.url,
    WEFT_AUTH_WEBHOOK_SECRET: 'a-shared-secret-of-the-two',
  });
  undo.push(() => backend.stop());
  expect(await gateway().check('token', 'plan')).toMatchObject({ allowed: true, who: ALLOWS.user });
  backend.answer = (_asked, response) => says(response, { refused: 'withdrawn' });
  expect(await gateway().check('token', 'plan')).toMatchObject({ allowed: true });
  bus.publish(AUTH_CHANGED_SUBJECT, encodeChanged({ user: ALLOWS.user.id }));
  await expect
    .poll(() => gateway().check('token', 'plan'), { timeout: 5000 })
    .toEqual({ allowed: false, status: 403, reason: 'withdrawn' });
  backend.answer = (_asked, response) => says(response, '', 500);
  await expect(new AuthClient(bus, { timeoutMs: 500 }).check('token', 'plan')).rejects.toThrow(AuthUnavailable);
}, 30_000);
