import { NatsBus } from '@weft/bus';
import type { Gateway } from '@weft/gateway';
import { startNats } from '@weft/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { printedSeed, type Random, randomFrom } from '../harness/random.ts';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { until } from '../limits/until.ts';
import { LossyBus } from './lossy-bus.ts';
import { bodyOf, type HttpAnswered, StreamRefused } from './raw-session.ts';
import { SessionPerson } from './session-person.ts';

const steps = 250;
/** Of the messages between gateways about streams; and of answers to pushes, which are lost by not being looked at. */
const lossShare = 0.05;

let house: House;
let gateways: Gateway[];
const buses: LossyBus[] = [];
beforeAll(async () => {
  const nats = await startNats();
  house = await House.start({
    bus: async (logger) => async () => {
      const bus = new LossyBus(await NatsBus.connect({ url: nats.url, name: 'random', logger }));
      buses.push(bus);
      return bus;
    },
  });
  gateways = [await house.gateway(), await house.gateway(), await house.gateway()];
});
afterAll(async () => {
  await house.stop();
  for (const bus of buses) await bus.close();
});

function chance(random: Random, share: number): boolean {
  return random.int(1_000) < 1_000 * share;
}

/** Pushes until it is taken, now and then twice at once. */
async function pushed(person: SessionPerson, frame: Uint8Array, random: Random): Promise<void> {
  const body = bodyOf(frame);
  const n = person.client.n + 1;
  const once = (): Promise<HttpAnswered> => person.client.pushBody(body, { n, port: random.pick(gateways).port, seen: person.client.seen });
  for (;;) {
    const answers = await Promise.all(chance(random, 0.2) ? [once(), once()] : [once()]);
    for (const { status, body: said } of answers)
      if (status !== 204 && status !== 503) throw new Error(`a push was answered ${status} ${said}`);
    const isHeard = !chance(random, lossShare);
    if (isHeard && answers.some(({ status }) => status === 204)) return;
  }
}

async function resumed(person: SessionPerson, random: Random): Promise<void> {
  for (;;)
    try {
      return await person.client.resume({ port: random.pick(gateways).port });
    } catch (error) {
      if (!(error instanceof StreamRefused) || error.answer.status !== 503) throw error;
    }
}

test(
  '[GW42][GW43][GW46] whatever goes where, is lost, broken off, or sent twice: every edit is acknowledged once, in order, and everybody is equal',
  { timeout: 180_000 },
  async () => {
    const random = randomFrom(printedSeed('fallback-random'));
    const people = await Promise.all(gateways.map(({ port }) => SessionPerson.in(port, 'random')));
    const socket = await Person.collab(gateways[0]!.port, 'random');
    for (const bus of buses) bus.loses = (subject) => subject.startsWith('weft.session.') && chance(random, lossShare);
    const edits = people.map(() => 0);
    for (let step = 0; step < steps; step++) {
      const at = random.int(people.length);
      const person = people[at]!;
      if (person.client.streamEnded || chance(random, 0.1)) {
        person.client.cut();
        await resumed(person, random);
      } else if (chance(random, 0.15)) await socket.types(`{${step}}`);
      else {
        await pushed(person, person.edit(`[${at}.${step}]`.padEnd(chance(random, 0.05) ? 100_000 : 0, 'p')), random);
        edits[at]! += 1;
      }
    }
    for (const bus of buses) bus.loses = () => false;
    await until(
      async () => {
        for (const person of people) if (person.client.streamEnded) await resumed(person, random);
        return people.every((person, i) => person.client.statuses().length >= edits[i]! && person.text() === socket.text());
      },
      'all have everything, and every edit is acknowledged',
      {
        withinMs: 60_000,
        seen: () =>
          JSON.stringify(
            people.map((person, i) => [person.client.statuses().length, edits[i], person.client.streamEnded, person.client.closed]),
          ),
      },
    );
    expect(people.map(({ client }) => client.statuses())).toEqual(edits.map((count) => Array.from({ length: count }, () => 1)));
    expect(socket.text()).toMatch(/\[0\.\d+\]/);
    for (const person of people) await person.client.leave();
    await socket.client.close();
  },
);
