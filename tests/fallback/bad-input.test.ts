import { connect } from 'node:net';
import type { Gateway } from '@weft/gateway';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bystanders } from '../limits/bystanders.ts';
import { collab, y } from '../limits/frames.ts';
import { House } from '../limits/house.ts';
import { RawClient } from '../limits/raw-client.ts';
import { until } from '../limits/until.ts';
import { ask, bodyOf, RawSession, saidError, StreamRefused } from './raw-session.ts';
import { SessionPerson } from './session-person.ts';

const proxied = { 'x-forwarded-for': '198.51.100.7' };
let house: House;
let gateway: Gateway;
let strict: Gateway;
let others: Bystanders;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway({ WEFT_TRUSTED_PROXIES: '127.0.0.1', WEFT_ADDRESS_CONNECTIONS: '20', WEFT_AUTH_DEADLINE: '2s' });
  strict = await house.gateway({ WEFT_FALLBACK_SESSIONS: '5', WEFT_ORIGINS: 'https://app.example.com' });
  others = await Bystanders.in(gateway.port, 'others');
});
afterAll(async () => {
  await others.leave();
  await house.stop();
});

async function refused(opening: Promise<unknown>): Promise<{ status: number; message: string; retryAfter: string | undefined }> {
  const error: unknown = await opening.then(
    () => new Error('it was served'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof StreamRefused)) throw error;
  const { answer } = error;
  return { status: answer.status, message: saidError(answer).message, retryAfter: answer.headers['retry-after'] };
}

const pushPath = (session: string, rest: string): string => `/push?session=${session}${rest}`;
const noSession = `gateway~0123456789ab~${'x'.repeat(22)}`;

describe('[GW40] what an upgrade would refuse is refused with the same status', () => {
  test.each([
    ['/sse', 'dialect=(absent): "collab" or "yjs" is expected, or session=<id> to go on with a session'],
    ['/sse?dialect=ws', 'dialect="ws": "collab" or "yjs" is expected, or session=<id> to go on with a session'],
    ['/sse?dialect=yjs', 'no document: dialect=yjs needs document=<name>'],
    ['/sse?dialect=yjs&document=', 'the document name is empty; give 1 to 255 bytes'],
    ['/sse?dialect=yjs&document=%ff', 'the value of "document" is not percent-encoded UTF-8'],
    [`/sse?dialect=yjs&document=${'n'.repeat(256)}`, 'the document name takes 256 bytes of UTF-8; at most 255 are allowed'],
    ['/sse?session=mine', 'what stands after session= is no id of a session'],
    [`/sse?session=${noSession}&after=-1`, 'Last-Event-ID, or `after`, is not the number of an event: 0 or more is expected'],
  ])('%s', async (path, message) => {
    const answer = await ask(gateway.port, { path });
    expect([answer.status, answer.headers['content-type'], saidError(answer)]).toEqual([
      400,
      'application/json',
      { code: 'bad-request', message },
    ]);
  });

  test('a bad token: 401 in yjs; in collab PermissionDenied, as on a socket', async () => {
    expect(await refused(RawSession.open(gateway.port, { dialect: 'yjs', document: 'd', token: 'nonsense' }))).toMatchObject({
      status: 401,
    });
    const session = await RawSession.open(gateway.port);
    await session.push(collab.auth('d', 'nonsense'));
    await session.heard('denied');
    await session.leave();
  });

  test('auth away: 503', async () => {
    await house.stopAuth();
    try {
      const token = house.signer.token({ sub: 'somebody-new' });
      expect(await refused(RawSession.open(gateway.port, { dialect: 'yjs', document: 'd', token }))).toMatchObject({ status: 503 });
    } finally {
      await house.startAuth();
    }
  });
});

describe('[GW42] a push that cannot be served says why, and nobody is harmed', () => {
  test.each([
    ['/push?n=1', 400, 'no session: session=<id> is expected'],
    ['/push?session=mine&n=1', 400, 'what stands after session= is no id of a session'],
    [pushPath(noSession, ''), 400, 'n=(absent): pushes of a session are numbered 1, 2, …'],
    [pushPath(noSession, '&n=0'), 400, 'n="0": pushes of a session are numbered 1, 2, …'],
    [pushPath(noSession, '&n=1e3'), 400, 'n="1e3": pushes of a session are numbered 1, 2, …'],
    [pushPath(noSession, '&n=1&seen=x'), 400, 'seen="x": the number of the last event received is expected'],
    [pushPath(noSession, '&n=1&close=5'), 400, 'close="5": a close code, 1000 to 4999, is expected'],
  ])('%s', async (path, status, message) => {
    const answer = await ask(gateway.port, { method: 'POST', path, body: bodyOf(Uint8Array.of(1)) });
    expect([answer.status, saidError(answer).message]).toEqual([status, message]);
  });

  test('a session nobody knows: 404, and its id is not repeated', async () => {
    await until(async () => (await ask(gateway.port, { method: 'POST', path: pushPath(noSession, '&n=1') })).status === 404, 'it is 404', {
      withinMs: 10_000,
    });
    const session = await RawSession.open(gateway.port);
    const own = session.id.replace(/[^~]+$/, 'x'.repeat(22));
    for (const id of [noSession, own]) {
      const answer = await ask(gateway.port, { method: 'POST', path: pushPath(id, '&n=1'), body: bodyOf(Uint8Array.of(1)) });
      expect([answer.status, saidError(answer).code, answer.body.includes(id)]).toEqual([404, 'unknown-session', false]);
    }
    await session.leave();
  });

  test('half a frame, then a body over the bound, then the same number with a whole one', async () => {
    const person = await SessionPerson.in(gateway.port, 'half');
    const whole = bodyOf(person.edit('whole'));
    const n = person.client.n + 1;
    const half = await person.client.pushBody(whole.subarray(0, -1), { n });
    expect([half.status, saidError(half).message]).toEqual([
      400,
      expect.stringMatching(/^frame 1 announces \d+ bytes, \d+ follow; nothing of the body was taken$/),
    ]);
    const large = await person.client.pushBody(new Uint8Array(9 * 1024 * 1024), { n });
    expect([large.status, saidError(large)]).toEqual([413, { code: 'too-large', message: 'a push of at most 8454144 bytes is taken' }]);
    const gap = await person.client.pushBody(whole, { n: n + 1 });
    expect([gap.status, saidError(gap).message]).toEqual([409, `push ${n + 1} is not the next: ${n} is expected`]);
    expect((await person.client.pushBody(whole, { n })).status).toBe(204);
    await person.isAcknowledged(1);
    expect(await house.logged('half')).toHaveLength(1);
    person.client.n = n;
    await person.client.leave();
    await others.goOn();
  });

  test('a body that is announced larger than one may be is refused before it comes; one cut off takes nothing', async () => {
    const person = await SessionPerson.in(gateway.port, 'cut');
    const path = pushPath(person.client.id, `&n=${person.client.n + 1}`);
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n`);
    let heard = '';
    socket.on('data', (data: Buffer) => (heard += data.toString()));
    await until(() => heard.includes('\r\n\r\n'), 'it is answered');
    expect(heard).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    const body = bodyOf(person.edit('cut'));
    const cut = connect(gateway.port, '127.0.0.1');
    cut.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.byteLength}\r\n\r\n`);
    cut.write(body.subarray(0, -1), () => cut.destroy());
    await others.goOn();
    expect(await house.logged('cut')).toEqual([]);
    expect((await person.client.pushBody(body)).status).toBe(204);
    await person.isAcknowledged(1);
    await person.client.leave();
  });

  test('a frame over the limit, and one that nobody can read: the session ends as a socket would, and later pushes hear it', async () => {
    const over = await SessionPerson.in(gateway.port, 'over');
    const frame = new Uint8Array(8 * 1024 * 1024 + 1);
    expect((await over.client.pushBody(bodyOf(frame, over.edit('after')))).status).toBe(204);
    expect(await over.client.isClosed()).toEqual({ code: 1009, reason: 'a frame of 8388609 bytes: at most 8388608 are taken' });
    await over.client.isEnded();
    const late = await over.client.pushBody(bodyOf(over.edit('late')));
    expect([late.status, saidError(late).code, saidError(late).close?.code]).toEqual([410, 'session-over', 1009]);
    expect(await refused(over.client.resume())).toMatchObject({ status: 410 });
    const garbage = await RawSession.open(gateway.port);
    await garbage.push(Uint8Array.of(255, 255, 255));
    expect(await garbage.isClosed()).toMatchObject({ code: 4401 });
    const empty = await RawSession.open(gateway.port, { dialect: 'yjs', document: 'empty' });
    await empty.push(Uint8Array.of());
    expect((await empty.isClosed()).code).toBe(4400);
    expect(await house.logged('over')).toEqual([]);
    await others.goOn();
  });

  test('no Auth: 4408 at the deadline', async () => {
    const session = await RawSession.open(gateway.port);
    expect(await session.isClosed()).toEqual({ code: 4408, reason: 'no valid Auth within 2000 ms' });
  });
});

describe('[GW48] how many', () => {
  test('more of one address than it may have: 429 with Retry-After; sockets are counted with them', async () => {
    const open = await Promise.all(Array.from({ length: 20 }, () => RawSession.open(gateway.port, { headers: proxied })));
    const tooMany = await refused(RawSession.open(gateway.port, { headers: proxied }));
    expect(tooMany).toMatchObject({ status: 429, message: 'more than 20 connections of one address' });
    expect(Number(tooMany.retryAfter)).toBeGreaterThan(0);
    await others.goOn();
    for (const session of open) await session.leave();
  });

  test('more of one user than it may have, sockets counted with them: 429 where it is known by then, 4429 after it', async () => {
    const few = await house.gateway({ WEFT_USER_CONNECTIONS: '2' });
    const token = house.signer.token({ sub: 'busy', documents: { '*': 'editor' } });
    const socket = await RawClient.y(few.port, 'busy', token);
    const session = await SessionPerson.in(few.port, 'busy', 'collab', token);
    expect(await refused(RawSession.open(few.port, { dialect: 'yjs', document: 'busy', token }))).toMatchObject({
      status: 429,
      message: 'more than 2 connections of one user',
    });
    const third = await RawSession.open(few.port);
    await third.push(collab.auth('busy', token));
    expect(await third.isClosed()).toEqual({ code: 4429, reason: 'more than 2 connections of one user' });
    await session.types('goes on');
    await session.client.leave();
    await socket.close();
  });

  test('10,000 streams of one address: 429 for those above the limit, and the others go on', async () => {
    const address = { 'x-forwarded-for': '198.51.100.9' };
    const statuses = new Map<number, number>();
    const kept: RawSession[] = [];
    for (let i = 0; i < 10_000; i += 100)
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          try {
            kept.push(await RawSession.open(gateway.port, { headers: address }));
          } catch (error) {
            if (!(error instanceof StreamRefused)) throw error;
            statuses.set(error.answer.status, (statuses.get(error.answer.status) ?? 0) + 1);
          }
        }),
      );
    expect([...statuses.keys()]).toEqual([429]);
    // A hundred come at once; those that were too many are closed with 4429.
    expect(statuses.get(429)).toBeGreaterThan(9_800);
    await others.goOn();
    for (const session of kept) session.cut();
  }, 120_000);

  test('more sessions than a gateway may have: 503 with Retry-After; when one leaves there is room', async () => {
    const open = await Promise.all(Array.from({ length: 5 }, () => RawSession.open(strict.port)));
    expect(await refused(RawSession.open(strict.port))).toEqual({
      status: 503,
      message: 'this gateway has 5 sessions without WebSocket, as many as it may',
      retryAfter: '5',
    });
    await open[0]!.leave();
    await (await RawSession.open(strict.port)).leave();
    for (const session of open.slice(1)) await session.leave();
  });

  test('an address that sends what no honest client sends is banned, sessions too', async () => {
    const banning = await house.gateway({ WEFT_TRUSTED_PROXIES: '127.0.0.1', WEFT_BAN_AFTER: '3', WEFT_BAN: '2s' });
    const bad = { 'x-forwarded-for': '198.51.100.77' };
    for (let i = 0; i < 3; i++) {
      const session = await RawSession.open(banning.port, { headers: bad });
      await session.push(Uint8Array.of(255, 255, 255));
      await session.isClosed();
    }
    expect(await refused(RawSession.open(banning.port, { headers: bad }))).toMatchObject({ status: 429 });
    await (await RawSession.open(banning.port, { headers: proxied })).leave();
  });
});

describe('[GW49] pages and methods', () => {
  const allowed = { origin: 'https://app.example.com' };
  const foreign = { origin: 'https://evil.example' };

  test('a listed origin may, with its cookie; another may not', async () => {
    const session = await RawSession.open(strict.port, { headers: allowed });
    expect(session.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    });
    const pushed = await session.pushBody(bodyOf(collab.auth('cors')), { headers: allowed });
    expect([pushed.status, pushed.headers['access-control-allow-origin']]).toEqual([204, 'https://app.example.com']);
    const wrong = await session.pushBody(bodyOf(Uint8Array.of(1)), { headers: foreign });
    expect([wrong.status, saidError(wrong).code, wrong.headers['access-control-allow-origin']]).toEqual([403, 'forbidden', undefined]);
    expect(await refused(RawSession.open(strict.port, { headers: foreign }))).toMatchObject({ status: 403 });
    await session.leave();
  });

  test('a page of another site that does not say whose it is, an image, opens nothing', async () => {
    expect(await refused(RawSession.open(gateway.port, { headers: { 'sec-fetch-site': 'cross-site' } }))).toMatchObject({ status: 403 });
  });

  test('a browser that asks first is answered', async () => {
    for (const [path, method] of [
      ['/sse', 'GET, OPTIONS'],
      ['/push', 'POST, OPTIONS'],
    ] as const) {
      const answer = await ask(strict.port, { method: 'OPTIONS', path, headers: allowed });
      expect([answer.status, answer.headers['access-control-allow-methods'], answer.headers['access-control-allow-origin']]).toEqual([
        204,
        method,
        'https://app.example.com',
      ]);
      expect((await ask(strict.port, { method: 'OPTIONS', path, headers: foreign })).status).toBe(403);
    }
  });

  test('where no origins are listed any page may, without credentials', async () => {
    const session = await RawSession.open(gateway.port, { headers: foreign });
    expect(session.headers['access-control-allow-origin']).toBe('https://evil.example');
    expect(session.headers['access-control-allow-credentials']).toBeUndefined();
    await session.leave();
  });

  test.each(['HEAD', 'POST', 'PUT', 'DELETE'])('%s /sse is 405, on a connection that stays', async (method) => {
    const answer = await ask(gateway.port, { method, path: '/sse?dialect=collab' });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, OPTIONS']);
  });

  test.each(['HEAD', 'GET', 'PUT'])('%s /push is 405', async (method) => {
    const answer = await ask(gateway.port, { method, path: '/push' });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST, OPTIONS']);
  });

  test('what is refused, and what is served, on one HTTP/1.1 connection', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (data: Buffer) => (heard += data.toString('latin1')));
    const next = async (request: string, until_: string): Promise<void> => {
      socket.write(request);
      await until(() => heard.includes(until_), `${JSON.stringify(until_)} is heard`, { seen: () => heard.slice(-300) });
    };
    await next('HEAD /sse HTTP/1.1\r\nHost: x\r\n\r\n', ' 405 ');
    // The same of what else is served here.
    await next('HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n', 'allow: GET\r\n');
    await next('GET /sse HTTP/1.1\r\nHost: x\r\n\r\n', '\r\n\r\nHTTP/1.1 400 ');
    await next('POST /push?session=x&n=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', 'no id of a session');
    await next('GET /sse?dialect=collab HTTP/1.1\r\nHost: x\r\n\r\n', 'event: open');
    await next('', '"code":4408');
    // The stream ended as a chunked body does: the connection is free.
    await until(() => heard.endsWith('\r\n0\r\n\r\n'), 'the response ends');
    await next('GET /sse?dialect=yjs HTTP/1.1\r\nHost: x\r\n\r\n', 'needs document=');
    socket.destroy();
  });
});

test('an awareness frame of y from a session is the session of a client like any other: what it leaves behind goes with it', async () => {
  const person = await SessionPerson.in(gateway.port, 'presence', 'yjs');
  const watcher = await SessionPerson.in(gateway.port, 'presence', 'collab');
  await person.client.push(y.awareness({ clientId: 77, clock: 1, state: { name: 'here' } }));
  const isShown = (state: unknown): boolean =>
    watcher.client
      .all('awareness')
      .some(({ entries }) => entries.some((entry) => entry.clientId === 77 && JSON.stringify(entry.state) === JSON.stringify(state)));
  await until(() => isShown({ name: 'here' }), 'it is shown');
  await person.client.leave();
  await until(() => isShown(null), 'it is shown to be gone');
  await watcher.client.leave();
});
