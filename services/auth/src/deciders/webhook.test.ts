import { createHmac } from 'node:crypto';

import { InProcessBus } from '@weft/bus';
import { AUTH_CHANGED_SUBJECT, encodeChanged } from '@weft/grants';
import type { Changed } from '@weft/grants';
import { createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { DeciderUnavailable } from './decider.ts';
import { ALLOWS, WebhookBackend, says } from './webhook-backend.test-data.ts';
import { signatureOf } from './webhook-call.ts';
import { WebhookDecider } from './webhook.ts';

const SECRET = 'a-shared-secret-of-the-two';
const TOKEN = 'opaque-token-of-ada';
let backend: WebhookBackend;
let bus: InProcessBus;
let lines: string[];
let nowMs: number;
let decider: WebhookDecider;
beforeEach(async () => {
  backend = await WebhookBackend.start();
  lines = [];
  bus = new InProcessBus({ logger: createLogger({ service: 'test', level: 'silent' }) });
  nowMs = 1_800_000_000_000;
  decider = newDecider();
});
afterEach(async () => {
  decider.close();
  await bus.close();
  await backend.stop();
  for (const secret of [TOKEN, SECRET]) expect(lines.join('')).not.toContain(secret);
});

function newDecider(limits: { keptMax?: number; underWayMax?: number; timeoutMs?: number } = {}): WebhookDecider {
  const logger = createLogger({ service: 'auth', level: 'trace', stream: { write: (line) => void lines.push(line) } });
  return new WebhookDecider({
    config: { url: backend.url, secret: SECRET },
    policy: { guests: 'none' },
    logger,
    bus: bus.sibling(),
    now: () => nowMs,
    timeoutMs: 500,
    ...limits,
  });
}
const ask = (document = 'plan', token = TOKEN) => decider.decide({ token, document });
const isUnavailable = async (document?: string) =>
  ask(document).then(
    () => false,
    (error: unknown) => error instanceof DeciderUnavailable,
  );
const change = async (changed: Changed) => {
  bus.publish(AUTH_CHANGED_SUBJECT, encodeChanged(changed));
  await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('a question', () => {
  test('[A40] is a signed POST that the backend can check with the secret', async () => {
    await ask('Käse/☕');
    const { method, headers, body } = backend.asked[0]!;
    expect(method).toBe('POST');
    expect(JSON.parse(body)).toEqual({ token: TOKEN, document: 'Käse/☕' });
    const timestamp = headers['x-weft-timestamp'];
    expect(timestamp).toBe(String(nowMs / 1000));
    expect(headers['x-weft-signature']).toBe(
      `v1=${createHmac('sha256', SECRET)
        .update(`${String(timestamp)}.${body}`)
        .digest('hex')}`,
    );
  });

  test('[A40] is signed as docs/deciding.md says, byte for byte', () => {
    const signature = 'v1=9466f9d7546d38de0220b88ea633a025ebe4db1016b72e258a4da55ced20e537';
    expect(signatureOf('0123456789abcdef', '1800000000', '{"token":"abc","document":"notes/1"}')).toBe(signature);
  });

  test('[A41] brings a yes with who and as what, or a no with its reason', async () => {
    expect(await ask()).toEqual({ allowed: true, role: 'editor', who: ALLOWS.user, untilMs: nowMs + 24 * 3_600_000 });
    for (const [status, decided] of [
      [200, 403],
      [403, 403],
      [401, 401],
    ] as const) {
      backend.answer = (_asked, response) => says(response, { refused: 'not\nyours' }, status);
      expect(await ask('other')).toEqual({ allowed: false, status: decided, reason: 'not yours' });
    }
  });

  test('[A46] gets a reason that quotes the token in other words', async () => {
    backend.answer = ({ token }, response) => says(response, { refused: `no session for ${token}` });
    expect(await ask()).toEqual({ allowed: false, status: 403, reason: 'refused by the backend' });
  });

  test('of a guest, with a wrong document or too long a token is not asked', async () => {
    expect(await ask('plan', '')).toMatchObject({ allowed: false, status: 401 });
    expect(await ask('', TOKEN)).toMatchObject({ allowed: false, status: 403 });
    expect(await ask('plan', 'x'.repeat(8193))).toMatchObject({ allowed: false, status: 401, reason: 'token is too long' });
    expect(backend.asked).toEqual([]);
  });

  test('[A44] is asked once for many at the same time, and not for others', async () => {
    backend.answer = (_asked, response) => void setTimeout(() => says(response, ALLOWS), 50);
    await Promise.all([...Array.from({ length: 30 }, () => ask()), ask('other'), ask('plan', 'another')]);
    expect(backend.asked).toHaveLength(3);
  });

  test('[A44] is unavailable when too many are under way', async () => {
    decider.close();
    decider = newDecider({ underWayMax: 2 });
    backend.answer = (_asked, response) => void setTimeout(() => says(response, ALLOWS), 100);
    const asked = [ask('a'), ask('b')];
    expect(await isUnavailable('c')).toBe(true);
    expect(await Promise.all(asked)).toMatchObject([{ allowed: true }, { allowed: true }]);
  });
});

describe('what is kept', () => {
  test('[A44] a yes for 30 s, a no never', async () => {
    await ask();
    nowMs += 29_999;
    await ask();
    expect(backend.asked).toHaveLength(1);
    nowMs += 1;
    backend.answer = (_asked, response) => says(response, { refused: 'no more' });
    expect(await ask()).toMatchObject({ allowed: false });
    await ask();
    expect(backend.asked).toHaveLength(3);
  });

  test('[A44] no more than the bound: the oldest goes', async () => {
    decider.close();
    decider = newDecider({ keptMax: 2 });
    for (const document of ['a', 'b', 'c', 'b', 'c', 'a']) await ask(document);
    expect(backend.asked.map(({ document }) => document)).toEqual(['a', 'b', 'c', 'a']);
  });

  test('[A45] goes with a change that concerns it, and only then', async () => {
    await Promise.all([ask('a'), ask('b')]);
    await change({ user: 'somebody else' });
    await change({ user: 'u1', document: 'c' });
    await Promise.all([ask('a'), ask('b')]);
    expect(backend.asked).toHaveLength(2);
    await change({ document: 'a' });
    await Promise.all([ask('a'), ask('b')]);
    expect(backend.asked.map(({ document }) => document)).toEqual(['a', 'b', 'a']);
    await change({ user: 'u1' });
    await Promise.all([ask('a'), ask('b')]);
    expect(backend.asked).toHaveLength(5);
  });

  test('[A45] is nothing that a change overtook: it is asked again', async () => {
    backend.answer = (_asked, response) => void setTimeout(() => says(response, ALLOWS), 200);
    const asked = ask();
    await expect.poll(() => backend.asked.length, { timeout: 5000 }).toBe(1);
    backend.answer = (_asked, response) => says(response, { refused: 'withdrawn' });
    await change({ user: 'u1' });
    expect(await asked).toEqual({ allowed: false, status: 403, reason: 'withdrawn' });
  });

  test('[A45] is kept through a malformed change', async () => {
    await ask();
    bus.publish(AUTH_CHANGED_SUBJECT, new TextEncoder().encode('{"user":7}'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await ask();
    expect(backend.asked).toHaveLength(1);
  });
});

describe('[A41] an answer that', () => {
  test.each<[string, unknown, number?]>([
    ['is no JSON', '<html>hello</html>'],
    ['is empty', ''],
    ['is a list', [ALLOWS]],
    ['says nothing', {}],
    ['has no user', { role: 'editor' }],
    ['has a user without an id', { user: { name: 'Ada' }, role: 'editor' }],
    ['has a user with a number as id', { user: { id: 7, name: 'Ada' }, role: 'editor' }],
    ['has a user without a name', { user: { id: 'u1' }, role: 'editor' }],
    ['has an unknown role', { ...ALLOWS, role: 'god' }],
    ['has no role', { user: ALLOWS.user }],
    ['both allows and refuses', { ...ALLOWS, refused: 'no' }],
    ['refuses without a reason', { refused: '' }],
    ['refuses with true', { refused: true }],
    ['is for another document', { ...ALLOWS, document: 'other' }],
    ['refuses another document', { refused: 'no', document: 'other' }],
    ['allows with 403', ALLOWS, 403],
    ['has a megabyte', { ...ALLOWS, filler: 'x'.repeat(1 << 20) }],
  ])('%s is unavailable, and said once with what was expected', async (_what, answer, status) => {
    backend.answer = (_asked, response) => says(response, answer, status);
    for (let count = 0; count < 8; count++) expect(await isUnavailable()).toBe(true);
    const said = lines.filter((line) => line.includes('malformed answer'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('\\"refused\\": \\"reason\\"');
    // One bad token shuts nobody out.
    expect(backend.asked).toHaveLength(8);
    backend.answer = (_asked, response) => says(response, { ...ALLOWS, document: 'plan' });
    expect(await ask()).toMatchObject({ allowed: true });
  });
});

describe('[A42] [A43] a backend that', () => {
  test.each<[string, WebhookBackend['answer']]>([
    ['fails', (_asked, response) => says(response, ALLOWS, 500)],
    ['has no room', (_asked, response) => says(response, ALLOWS, 429)],
    ['does not know the path', (_asked, response) => says(response, ALLOWS, 404)],
    ['redirects', (_asked, response) => void response.writeHead(307, { location: `${backend.url}/elsewhere` }).end()],
    ['hangs', () => {}],
    ['hangs in the middle', (_asked, response) => void response.writeHead(200).write('{"user":')],
    ['hangs up', (_asked, response) => void response.destroy()],
    ['is slower than the time-out', (_asked, response) => void setTimeout(() => says(response, ALLOWS), 900)],
  ])(
    '%s is unavailable, is left alone, and is asked again by one question first',
    async (_what, answer) => {
      backend.answer = answer;
      const first = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(isUnavailable));
      expect(first).toEqual([true, true, true, true, true]);
      expect(backend.asked).toHaveLength(5);
      expect(await isUnavailable('f')).toBe(true);
      expect(backend.asked).toHaveLength(5);

      nowMs += 1000;
      expect(await isUnavailable('g')).toBe(true);
      expect(await isUnavailable('h')).toBe(true);
      expect(backend.asked).toHaveLength(6);

      nowMs += 2000;
      backend.answer = (_asked, response) => void setTimeout(() => says(response, ALLOWS), 50);
      const probed = await Promise.all([ask('i').then(({ allowed }) => allowed), isUnavailable('j'), isUnavailable('k')]);
      expect(probed).toEqual([true, true, true]);
      expect(await ask('j')).toMatchObject({ allowed: true });
      expect(lines.filter((line) => line.includes('is left alone'))).toHaveLength(2);
      expect(lines.filter((line) => line.includes('answers again'))).toHaveLength(1);
    },
    30_000,
  );

  test('is slow but in time is believed', async () => {
    backend.answer = (_asked, response) => void setTimeout(() => says(response, ALLOWS), 200);
    expect(await ask()).toMatchObject({ allowed: true });
  });

  test('is away is unavailable, and what is kept is believed meanwhile', async () => {
    await ask('kept');
    await backend.stop();
    expect(await isUnavailable('new')).toBe(true);
    expect(await ask('kept')).toMatchObject({ allowed: true });
    backend = await WebhookBackend.start();
  });
});
