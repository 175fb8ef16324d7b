import type { Gateway } from '@weft/gateway';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Edge } from '../edge/edge.ts';
import { House } from '../limits/house.ts';
import { until } from '../limits/until.ts';
import { ask, bodyOf, type Door, RawSession, saidError, StreamRefused } from './raw-session.ts';
import { SessionPerson } from './session-person.ts';

/** Real nginx with the configuration we ship, two gateways behind it, and nothing that keeps a client with one of them. */
let house: House;
let gateways: Gateway[];
let edge: Edge;
let door: Door;
beforeAll(async () => {
  house = await House.start();
  gateways = [];
  for (let i = 0; i < 2; i++) gateways.push(await house.gateway({ WEFT_TRUSTED_PROXIES: '127.0.0.1', WEFT_FALLBACK_SESSIONS: '4' }));
  edge = await Edge.start({ gateways: gateways.map(({ port }) => port), auth: 1 });
  door = { port: edge.port, ca: edge.ca };
});
afterAll(async () => {
  await edge.stop();
  await house.stop();
});

test('[E11][GW46] through nginx, pushes to whichever gateway: everything is there, in order, acknowledged once; streams are taken up', async () => {
  const [one, other] = [await SessionPerson.in(door, 'edge'), await SessionPerson.in(door, 'edge', 'yjs')];
  expect(one.client.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
    'cache-control': 'no-store, no-transform',
  });
  for (let i = 0; i < 20; i++) {
    await one.types(`[${i}]`);
    await other.types(`{${i}}`);
    if (i % 5 === 0) {
      one.client.cut();
      await one.client.resume();
    }
  }
  await one.sees('{19}');
  await other.sees('[19]');
  await until(() => one.text() === other.text(), 'both have the same');
  // As large as a frame may be, nearly.
  await one.types('w'.repeat(8 * 1024 * 1024 - 2_000));
  await until(() => other.text().length === one.text().length, 'the other has it');
  for (const person of [one, other]) await person.client.leave();
}, 90_000);

test('[E11] a comment comes through every 15 s', async () => {
  const person = await SessionPerson.in(door, 'quiet');
  const { comments } = person.client;
  await until(() => person.client.comments > comments, 'a comment comes', { withinMs: 20_000 });
  await person.client.leave();
}, 30_000);

test('[E13] full of streams: one Retry-After, and the edge asks these gateways for everything else as before', async () => {
  const open: RawSession[] = [];
  let refusal: StreamRefused | undefined;
  while (!refusal)
    try {
      open.push(await RawSession.open(door));
    } catch (error) {
      if (!(error instanceof StreamRefused)) throw error;
      refusal = error;
    }
  expect(open.length).toBeLessThanOrEqual(8);
  expect([refusal.answer.status, refusal.answer.headers['retry-after'], saidError(refusal.answer).code]).toEqual([503, '5', 'unavailable']);
  for (let i = 0; i < 20; i++) expect((await ask(door, { path: '/sse?dialect=collab', forBytes: 1 })).status).toBeOneOf([200, 503]);
  for (const session of open) {
    const pushed = await session.pushBody(bodyOf());
    expect(pushed.status).toBe(204);
    await session.leave();
  }
});

test('[E13] nobody there: nginx says when to come again', async () => {
  const nobody = await Edge.start({ gateways: [1], auth: 1 });
  const away = await ask({ port: nobody.port, ca: nobody.ca }, { path: '/sse?dialect=collab' });
  expect([away.status, away.headers['retry-after']]).toEqual([503, '2']);
  await nobody.stop();
});
