import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from '@weft/gateway';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collab } from '../limits/frames.ts';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { until } from '../limits/until.ts';
import { ask, bodyOf, RawSession, saidError } from './raw-session.ts';
import { SessionPerson } from './session-person.ts';

let house: House;
let gateway: Gateway;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
});
afterAll(() => house.stop());

describe('[GW40] a session is a client like any other', () => {
  test.each(['collab', 'yjs'] as const)(
    '%s: what it edits reaches sockets of both dialects, and what they edit reaches it',
    async (dialect) => {
      const name = `all-${dialect}`;
      const session = await SessionPerson.in(gateway.port, name, dialect);
      const others = [await Person.collab(gateway.port, name), await Person.y(gateway.port, name)];
      const neighbours = [await SessionPerson.in(gateway.port, name, 'collab'), await SessionPerson.in(gateway.port, name, 'yjs')];
      await session.types('[session]');
      for (const other of [...others, ...neighbours]) await other.sees('[session]');
      for (const [i, other] of others.entries()) {
        await other.types(`[socket ${i}]`);
        for (const one of [session, ...neighbours]) await one.sees(`[socket ${i}]`);
      }
      await neighbours[0]!.types('[neighbour]');
      for (const one of [session, ...others, neighbours[1]!]) await one.sees('[neighbour]');
      // Nobody is sent its own edits.
      expect(session.client.all('update').length).toBe(3);
      for (const one of [session, ...neighbours]) await one.client.leave();
      for (const one of others) await one.client.close();
    },
  );
});

describe('[GW41] the stream', () => {
  test('its head keeps proxies from holding it back, and it says what there is to know', async () => {
    const session = await RawSession.open(gateway.port);
    expect(session.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(session.opened).toEqual({
      session: session.id,
      resumeMs: 30_000,
      keepAliveMs: 15_000,
      pushBytesMax: 8 * 1024 * 1024 + 64 * 1024,
    });
    expect(session.id).toMatch(/^g0~[0-9a-f]{12}~[A-Za-z0-9_-]{22}$/);
    const start = await ask(gateway.port, { path: '/sse?dialect=collab', forBytes: 2_100 });
    expect(start.body).toMatch(/^: {2048}\n\nevent: open\ndata: \{/);
    await session.leave();
  });

  test('frames of one tick leave in one event', async () => {
    const person = await SessionPerson.in(gateway.port, 'tick');
    const before = person.client.framesOfEvents.length;
    await person.client.push(...Array.from({ length: 20 }, (_, i) => person.edit(`${i} `)));
    await person.isAcknowledged(20);
    expect(person.client.framesOfEvents.slice(before)).toEqual([20]);
    await person.client.leave();
  });

  test('bears a comment every 15 s, also while only the client has something to say', async () => {
    const person = await SessionPerson.in(gateway.port, 'comments', 'yjs');
    const heardAtMs: number[] = [];
    for (let { comments } = person.client; heardAtMs.length < 3;) {
      await person.types('.');
      if (person.client.comments > comments) heardAtMs.push(performance.now());
      ({ comments } = person.client);
      await sleep(100);
    }
    const gaps = heardAtMs.slice(1).map((at, i) => at - heardAtMs[i]!);
    // Seconds are counted by turns, which come late on a busy machine; clients wait for two of them, and a half.
    for (const gap of gaps) expect(gap).toBeLessThan(30_000);
    await person.client.leave();
  }, 120_000);
});

describe('[GW43] a stream that broke', () => {
  test.each([false, true])('is taken up after the event the client names (in the query: %s)', async (inQuery) => {
    const person = await SessionPerson.in(gateway.port, `resume-${inQuery}`);
    const writer = await Person.collab(gateway.port, `resume-${inQuery}`);
    for (let round = 0; round < 5; round++) {
      person.client.cut();
      await writer.types(`[away ${round}]`);
      // Acknowledged while nobody listens.
      await person.client.push(person.edit(`{own ${round}}`));
      await writer.sees(`{own ${round}}`);
      await person.client.resume({ inQuery });
      await person.isAcknowledged(round + 1);
      await person.sees(`[away ${round}]`);
    }
    expect(person.text()).toBe(writer.text());
    await person.client.leave();
    await writer.client.close();
  });

  test('what was heard already and is asked for again is the same, and there is no second `open`', async () => {
    const person = await SessionPerson.in(gateway.port, 'twice');
    await person.client.pushBody(bodyOf(person.edit('a')));
    await person.isAcknowledged(1);
    const { frames, seen } = person.client;
    const heard = frames.length;
    person.client.cut();
    await person.client.resume({ after: 0 });
    await until(() => person.client.frames.length === 2 * heard, 'all is heard again');
    expect(person.client.seen).toBe(seen);
    expect(frames.slice(heard)).toEqual(frames.slice(0, heard));
    await person.client.leave();
  });

  test('a new stream ends the old one', async () => {
    const person = await SessionPerson.in(gateway.port, 'stolen');
    const answer = await ask(gateway.port, { path: `/sse?session=${person.client.id}&after=${person.client.seen}`, forBytes: 1 });
    expect(answer.status).toBe(200);
    await person.client.isEnded();
    await person.client.resume();
    await person.types('goes on');
    await person.client.leave();
  });

  test('nobody who knows no more than that it exists can take it up', async () => {
    const person = await SessionPerson.in(gateway.port, 'secret');
    const guess = person.client.id.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await ask(gateway.port, { path: `/sse?session=${guess}` })).status).toBe(404);
    await person.types('undisturbed');
    await person.client.leave();
  });
});

describe('[GW44] a client that does not read', () => {
  test('the others go on; it is caught up merged when it reads again, and equal', async () => {
    const small = await house.gateway({ WEFT_CONNECTION_HIGH_WATER: '64KiB' });
    const slow = await SessionPerson.in(small.port, 'slow');
    const writer = await Person.collab(small.port, 'slow');
    slow.client.pause();
    // More in all than the kernel keeps of a connection.
    const page = 'p'.repeat(64 * 1024);
    const pages = 400;
    for (let i = 0; i < pages; i++) await writer.types(page);
    slow.client.unpause();
    await writer.types('[the end]');
    // uWebSockets.js may have cut the stream: then it is taken up.
    await until(
      async () => {
        if (slow.client.streamEnded) await slow.client.resume();
        return slow.text().endsWith('[the end]');
      },
      'it has everything',
      { withinMs: 60_000 },
    );
    expect(slow.text()).toBe(writer.text());
    const asWritten = slow.client
      .all('update')
      .filter(({ update }) => update.byteLength >= page.length && update.byteLength < 2 * page.length);
    expect(asWritten.length).toBeLessThan(pages - 50);
    await slow.types('[still here]');
    await writer.sees('[still here]');
    await slow.client.leave();
    await writer.client.close();
  }, 120_000);

  test('for too long: closed with 1013, as a socket', async () => {
    const strict = await house.gateway({ WEFT_CONNECTION_HIGH_WATER: '64KiB', WEFT_SLOW_CLIENT: '1s' });
    const slow = await SessionPerson.in(strict.port, 'too-slow');
    const writer = await Person.collab(strict.port, 'too-slow');
    slow.client.pause();
    const before = house.count('slow-client');
    for (let i = 0; house.count('slow-client') === before && i < 100; i++) await writer.types('p'.repeat(512 * 1024));
    await until(() => house.count('slow-client') > before, 'it is given up');
    slow.client.unpause();
    await slow.client.isEnded();
    // What is left may have been cut off; whoever asks hears why it ended.
    const after = await slow.client.pushBody(new Uint8Array());
    expect([after.status, saidError(after).close]).toEqual([
      410,
      { code: 1013, reason: 'too slow: the connection did not take what was sent for 1000 ms' },
    ]);
    await writer.types('[goes on]');
    await writer.client.close();
  }, 120_000);
});

test('[GW45] a client that vanished is gone after 30 s, and shown so', async () => {
  const person = await SessionPerson.in(gateway.port, 'vanished');
  const watcher = await SessionPerson.in(gateway.port, 'vanished');
  await person.client.push(collab.awareness('vanished', { clientId: 99, clock: 1, state: { name: 'here' } }));
  const shown = (): unknown =>
    watcher.client
      .all('awareness')
      .flatMap(({ entries }) => entries.filter(({ clientId }) => clientId === 99))
      .at(-1)?.state;
  await until(() => shown() !== undefined && shown() !== null, 'it is here');
  person.client.cut();
  const cutAtMs = performance.now();
  await until(() => shown() === null, 'it is gone', { withinMs: 45_000 });
  expect(performance.now() - cutAtMs).toBeGreaterThan(29_000);
  expect((await person.client.pushBody(new Uint8Array())).status).toBe(404);
  await watcher.client.leave();
}, 60_000);
