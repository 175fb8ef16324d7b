import { NatsBus } from '@weft/bus';
import { AuthClient } from '@weft/grants';
import { startNats } from '@weft/testkit';
import type { NatsServer } from '@weft/testkit';
import { Metrics, createLogger } from '@weft/telemetry';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { AuthProcess } from './auth-process.ts';
import { readAuthConfig } from './config.ts';
import { generateSigningKeyPem, importSigningKey } from './signing-key.ts';
import { signToken } from './token.ts';

const logger = createLogger({ service: 'auth', level: 'silent' });
let nats: NatsServer;
let pem: string;
beforeAll(async () => {
  nats = await startNats();
  pem = await generateSigningKeyPem();
});
afterAll(() => nats.stop());

const processOf = (url = nats.url) => {
  const env = {
    WEFT_NATS_URL: url,
    WEFT_AUTH_KEY: pem,
    WEFT_AUTH_HOST: '127.0.0.1',
    WEFT_AUTH_PORT: '0',
    WEFT_OPS_HOST: '127.0.0.1',
    WEFT_OPS_PORT: '0',
  };
  return new AuthProcess(readAuthConfig(env), logger, new Metrics());
};

test('two auth processes share the questions of a gateway, and one may drain without a question lost', async () => {
  const [one, other] = [processOf(), processOf()];
  await Promise.all([one.run(), other.run()]);
  const bus = await NatsBus.connect({ url: nats.url, name: 'test', logger });
  const gateway = new AuthClient(bus, { timeoutMs: 5000 });
  const { token } = await signToken(
    await importSigningKey(pem),
    { sub: 'u1', name: 'Ada', documents: { '*': 'viewer' } },
    Date.now(),
    60_000,
  );

  const asked = Array.from({ length: 200 }, (_, index) => gateway.check(token, `before-${index}`));
  const drained = one.drain();
  const decisions = await Promise.all([...asked, ...Array.from({ length: 200 }, (_, index) => gateway.check(token, `after-${index}`))]);
  await drained;
  await one.stop();
  expect(new Set(decisions.map((decision) => decision.allowed && decision.role))).toEqual(new Set(['viewer']));

  await other.stop();
  await bus.close();
});

test('a stop while NATS is away ends the start without an error', async () => {
  const waiting = processOf('nats://127.0.0.1:1');
  const running = waiting.run();
  await waiting.stop();
  await expect(running).resolves.toBeUndefined();
});
