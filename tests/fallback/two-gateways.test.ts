import { NatsBus } from '@weft/bus';
import type { Gateway } from '@weft/gateway';
import { startNats } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { until } from '../limits/until.ts';
import { LossyBus } from './lossy-bus.ts';
import { bodyOf, RawSession, saidError } from './raw-session.ts';
import { SessionPerson } from './session-person.ts';

/** Over a real NATS: its messages are 1 MiB. */
let house: House;
let a: Gateway;
let b: Gateway;
const buses: LossyBus[] = [];
beforeAll(async () => {
  const nats = await startNats();
  house = await House.start({
    bus: async (logger) => async () => {
      const bus = new LossyBus(await NatsBus.connect({ url: nats.url, name: 'fallback', logger }));
      buses.push(bus);
      return bus;
    },
  });
  [a, b] = [await house.gateway(), await house.gateway()];
});
afterAll(async () => {
  await house.stop();
  for (const bus of buses) await bus.close();
});

/** The next message about a stream that bears such a part. */
function loseOne(kind: 'events' | 'taken'): { isLost: boolean } {
  const lost = { isLost: false };
  for (const bus of buses)
    bus.loses = (subject, data) => {
      if (lost.isLost || !subject.startsWith('weft.session.')) return false;
      return (lost.isLost = Buffer.from(data).toString('latin1').includes(`"kind":"${kind}"`));
    };
  return lost;
}

describe('[GW46] no sticky sessions', () => {
  test('each push and each stream at another gateway: everybody has everything, every edit is acknowledged once', async () => {
    const person = await SessionPerson.in(a.port, 'round');
    const others = [await Person.collab(a.port, 'round'), await Person.y(b.port, 'round')];
    const rounds = 40;
    for (let i = 0; i < rounds; i++) {
      const { port } = i % 2 === 0 ? b : a;
      const answer = await person.client.pushBody(bodyOf(person.edit(`[${i}]`)), { port, seen: person.client.seen });
      expect([answer.status, answer.body]).toEqual([204, '']);
      if (i % 5 === 0) {
        person.client.cut();
        await person.client.resume({ port: i % 10 === 0 ? b.port : a.port });
      }
      await others[i % 2]!.types(`{${i}}`);
    }
    await person.isAcknowledged(rounds);
    for (const one of [person, ...others])
      await until(
        () => Array.from({ length: rounds }, (_, i) => i).every((i) => one.text().includes(`[${i}]`) && one.text().includes(`{${i}}`)),
        'everything is there',
      );
    expect(others.map((other) => other.text())).toEqual([person.text(), person.text()]);
    await person.client.leave();
    for (const other of others) await other.client.close();
  });

  test('a frame of nearly 8 MiB, pushed at another gateway', async () => {
    const person = await SessionPerson.in(a.port, 'large');
    const reader = await SessionPerson.in(b.port, 'large');
    const words = 'w'.repeat(8 * 1024 * 1024 - 1000);
    const answer = await person.client.pushBody(bodyOf(person.edit(words)), { port: b.port });
    expect([answer.status, answer.body]).toEqual([204, '']);
    await person.isAcknowledged(1);
    await until(() => reader.text().length === words.length, 'the other has it', { seen: () => `(${reader.text().length})` });
    // And down, through the other gateway.
    const joining = await RawSession.open(a.port);
    joining.cut();
    await joining.resume({ port: b.port, after: 0 });
    const late = await SessionPerson.on(joining, 'large');
    expect(late.text().length).toBe(words.length);
    for (const one of [person, reader, late]) await one.client.leave();
  }, 90_000);

  test('a push whose answer was lost is sent again to another gateway, and taken once', async () => {
    const person = await SessionPerson.in(a.port, 'again');
    const body = bodyOf(person.edit('once'));
    const n = person.client.n + 1;
    const answers = await Promise.all([a.port, b.port, b.port, a.port].map((port) => person.client.pushBody(body, { n, port })));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    await person.types('more');
    await person.isAcknowledged(2);
    expect(await house.logged('again')).toHaveLength(2);
    await person.client.leave();
  });

  test('what core NATS loses of a stream is seen: the stream ends, and the next one goes on where it stood', async () => {
    const person = await SessionPerson.in(a.port, 'lossy');
    const writer = await Person.collab(b.port, 'lossy');
    person.client.cut();
    await person.client.resume({ port: b.port });
    for (let round = 0; round < 4; round++) {
      const lost = loseOne('events');
      await writer.types(`[lost ${round}]`);
      await until(() => lost.isLost, 'something is lost');
      await writer.types(`[after ${round}]`);
      await person.client.isEnded();
      await person.client.resume({ port: b.port });
      await person.sees(`[after ${round}]`);
      expect(person.text()).toBe(writer.text());
      await person.types(`[own ${round}]`);
      await writer.sees(`[own ${round}]`);
    }
    await person.isAcknowledged(4);
    await person.client.leave();
    await writer.client.close();
  });

  test('the last message of a stream lost, and nothing after it: it is asked about', async () => {
    const person = await SessionPerson.in(a.port, 'last');
    const writer = await Person.collab(a.port, 'last');
    person.client.cut();
    await person.client.resume({ port: b.port });
    await person.types('[before]');
    const lost = loseOne('events');
    await writer.types('[the last]');
    await until(() => lost.isLost, 'it is lost');
    await person.client.isEnded();
    await person.client.resume({ port: b.port });
    await person.sees('[the last]');
    await person.client.leave();
    await writer.client.close();
  });

  test('what the client took is told again when that was lost: more than may wait gets through', async () => {
    const person = await SessionPerson.in(a.port, 'credit');
    const writer = await Person.collab(a.port, 'credit');
    person.client.cut();
    await person.client.resume({ port: b.port });
    for (let round = 0; round < 3; round++) {
      const lost = loseOne('taken');
      for (let i = 0; i < 4; i++) await writer.types(`${'p'.repeat(100_000)}[${round} ${i}]`);
      await until(() => lost.isLost, 'it is lost');
      await person.sees(`[${round} 3]`);
    }
    expect(person.text()).toBe(writer.text());
    expect(person.client.streamEnded).toBe(false);
    await person.client.leave();
    await writer.client.close();
  });

  test('the gateway of a session is gone: pushes are 503 at first, then 404, and its stream elsewhere ends', async () => {
    const before = buses.length;
    const owner = await house.gateway();
    let heartbeats = 0;
    for (const bus of buses.slice(before)) bus.loses = (subject) => subject === 'weft.ring' && heartbeats++ < 0;
    await until(() => heartbeats > 1, 'the others have heard of it');
    const person = await SessionPerson.in(owner.port, 'gone');
    person.client.cut();
    await person.client.resume({ port: b.port });
    await person.types('[before]');
    for (const bus of buses.slice(before)) await bus.close();
    const statuses = new Set<number>();
    let answer = await person.client.pushBody(new Uint8Array(), { port: b.port });
    for (; answer.status !== 404; answer = await person.client.pushBody(new Uint8Array(), { n: person.client.n, port: b.port })) {
      statuses.add(answer.status);
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect([...statuses]).toEqual([503]);
    expect(saidError(answer).code).toBe('unknown-session');
    await person.client.isEnded();
    await expect(person.client.resume({ port: b.port })).rejects.toMatchObject({ answer: { status: 404 } });
  });
});

describe('[GW47] a gateway that drains', () => {
  test('closes its sessions with 1012, wherever their streams are; pushes are taken until then; nobody new', async () => {
    const draining = await house.gateway({ WEFT_DRAIN: '3s' });
    const here = await SessionPerson.in(draining.port, 'drain');
    const there = await SessionPerson.in(draining.port, 'drain');
    there.client.cut();
    await there.client.resume({ port: b.port });
    // Holds a stream for somebody else's session.
    const passing = await SessionPerson.in(a.port, 'drain');
    passing.client.cut();
    await passing.client.resume({ port: draining.port });
    const last = await SessionPerson.in(draining.port, 'drain');
    const drained = draining.drain();
    await passing.client.isEnded();
    await passing.client.resume({ port: b.port });
    const taken = await last.client.pushBody(bodyOf(last.edit('[while it drains]')), { port: b.port });
    expect(taken.status).toBe(204);
    await passing.sees('[while it drains]');
    for (const one of [here, there, last]) {
      expect(await one.client.isClosed()).toMatchObject({ code: 1012 });
      await one.client.isEnded();
      const after = await one.client.pushBody(new Uint8Array(), { port: b.port });
      expect([after.status, saidError(after).code, saidError(after).close?.code]).toEqual([410, 'session-over', 1012]);
    }
    await drained;
    await draining.stop();
    expect(passing.client.closed).toBeUndefined();
    await passing.client.leave();
  });
});
