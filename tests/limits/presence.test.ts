import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import { Bystanders } from './bystanders.ts';
import { collab, type Presence, y } from './frames.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { until } from './until.ts';

const mib = 1024 * 1024;
let house: House;
let gateway: Gateway;
let elsewhere: Gateway;
let bystanders: Bystanders;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
  elsewhere = await house.gateway();
  bystanders = await Bystanders.in(gateway.port, 'presence', { readerPort: elsewhere.port });
});
afterAll(() => house.stop());

const state = (clientId: number, clock: number, name: unknown): Presence => ({ clientId, clock, state: { name } });
const gone = (clientId: number, clock: number): Presence => ({ clientId, clock, state: null });

/** Who is here, as y-protocols keeps it: a newer clock wins, and a removal of the same clock. */
function seenBy({ client }: Person): Map<number, unknown> {
  const clocks = new Map<number, number>();
  const states = new Map<number, unknown>();
  for (const { entries } of client.all('awareness'))
    for (const entry of entries) {
      const clock = clocks.get(entry.clientId) ?? -1;
      if (entry.clock < clock || (entry.clock === clock && !(entry.state === null && states.has(entry.clientId)))) continue;
      clocks.set(entry.clientId, entry.clock);
      if (entry.state === null) states.delete(entry.clientId);
      else states.set(entry.clientId, entry.state);
    }
  return states;
}

async function sees(person: Person, clientId: number, name: unknown): Promise<void> {
  const wanted = name === undefined ? undefined : JSON.stringify({ name });
  await until(() => JSON.stringify(seenBy(person).get(clientId)) === wanted, `client ${clientId} is seen as ${wanted?.slice(0, 60)}`, {
    seen: () => JSON.stringify([...seenBy(person)]).slice(0, 300),
  });
}

/** Two who look on, one on each gateway. */
async function onlookers(name: string): Promise<[Person, Person]> {
  return [await Person.collab(gateway.port, name), await Person.y(elsewhere.port, name)];
}

async function leave(...people: Person[]): Promise<void> {
  for (const { client } of people) await client.close();
}

describe('[L15] awareness belongs to the connection that brought it', () => {
  test('nobody else can change or remove it, from either gateway or dialect; the owner can', async () => {
    const name = 'presence-owner';
    const watching = await onlookers(name);
    const ada = await Person.collab(gateway.port, name);
    ada.client.send(collab.awareness(name, state(1, 5, 'Ada')));
    for (const person of watching) await sees(person, 1, 'Ada');
    const near = await Person.collab(gateway.port, name);
    const far = await Person.y(elsewhere.port, name);
    near.client.send(
      collab.awareness(name, state(2, 1, 'Bob')),
      collab.awareness(name, state(1, 99, 'Mallory')),
      collab.awareness(name, gone(1, 100)),
    );
    far.client.send(y.awareness(state(3, 1, 'Eve')), y.awareness(state(1, 99, 'Mallory')), y.awareness(gone(1, 100)));
    for (const person of watching) {
      await sees(person, 2, 'Bob');
      await sees(person, 3, 'Eve');
      await sees(person, 1, 'Ada');
    }
    for (const { client } of watching) expect(JSON.stringify(client.all('awareness'))).not.toContain('Mallory');
    ada.client.send(collab.awareness(name, state(1, 6, 'Ada moved')));
    for (const person of watching) await sees(person, 1, 'Ada moved');
    ada.client.send(collab.awareness(name, gone(1, 7)));
    for (const person of watching) await sees(person, 1, undefined);
    for (const person of watching) expect(seenBy(person).has(2)).toBe(true);
    await leave(ada, near, far, ...watching);
  });

  test('it goes with the connection, also when that is cut, on every gateway', async () => {
    const name = 'presence-cut';
    const watching = await onlookers(name);
    const ada = await Person.y(elsewhere.port, name);
    ada.client.send(y.awareness(state(1, 5, 'Ada')));
    for (const person of watching) await sees(person, 1, 'Ada');
    ada.client.cut();
    for (const person of watching) await sees(person, 1, undefined);
    await leave(...watching);
  });

  test('a client that comes back while its old connection hangs is there when that is given up, on the same gateway and on another', async () => {
    for (const [port, name] of [
      [gateway.port, 'presence-back'],
      [elsewhere.port, 'presence-back-elsewhere'],
    ] as const) {
      const watching = await onlookers(name);
      const old = await Person.collab(gateway.port, name);
      old.client.send(collab.awareness(name, state(1, 5, 'Ada')));
      for (const person of watching) await sees(person, 1, 'Ada');
      const back = await Person.collab(port, name);
      back.client.send(collab.awareness(name, state(1, 6, 'Ada is back')));
      // An answer to this shows that the claim has been heard.
      back.client.send(collab.queryAwareness(name));
      await until(() => back.client.all('awareness').length > 0, 'the claim is heard');
      old.client.cut();
      for (const person of watching) await sees(person, 1, 'Ada is back');
      back.client.send(collab.awareness(name, state(1, 7, 'Ada types')));
      for (const person of watching) await sees(person, 1, 'Ada types');
      await leave(back);
      for (const person of watching) await sees(person, 1, undefined);
      await leave(...watching);
    }
  });

  test('who joins later sees who is here, whichever gateway they are on', async () => {
    const name = 'presence-late';
    const ada = await Person.collab(gateway.port, name);
    ada.client.send(collab.awareness(name, state(1, 1, 'Ada')));
    for (const late of await onlookers(name)) {
      await sees(late, 1, 'Ada');
      await leave(late);
    }
    await leave(ada);
  });
});

describe('[L16] awareness has bounds', () => {
  test('1 MiB of a connection passes and reaches the other gateway; more closes with 4400 and a sentence', async () => {
    const name = 'presence-large';
    const watching = await onlookers(name);
    const person = await Person.collab(gateway.port, name);
    const part = (id: number, bytes: number) => state(id, 1, 'a'.repeat(bytes - '{"name":""}'.length));
    for (let id = 1; id <= 16; id++) person.client.send(collab.awareness(name, part(id, mib / 16)));
    for (const onlooker of watching)
      await until(() => seenBy(onlooker).size === 16, 'all of it is seen', { seen: () => `${seenBy(onlooker).size}` });
    const late = await Person.collab(elsewhere.port, name);
    await until(() => seenBy(late).size === 16, 'who joins later sees all of it');
    await person.types('goes on');
    person.client.send(collab.awareness(name, part(17, 20)));
    expect(await person.client.isClosed()).toEqual({
      code: 4400,
      reason: 'awareness of 1048596 bytes: at most 1048576 are kept for one connection',
    });
    for (const onlooker of watching) await until(() => seenBy(onlooker).size === 0, 'all of it is gone again');
    await bystanders.goOn();
    await leave(late, ...watching);
  }, 40_000);

  test('1 MiB is the bound for all documents of a connection together', async () => {
    const person = await Person.collab(gateway.port, 'presence-total-0');
    for (let i = 1; i < 20; i++) await Person.collab(gateway.port, `presence-total-${i}`, { client: person.client });
    for (let i = 0; i < 20; i++) person.client.send(collab.awareness(`presence-total-${i}`, state(i, 1, 'a'.repeat(mib / 16))));
    expect(await person.client.isClosed()).toMatchObject({
      code: 4400,
      reason: expect.stringMatching(/^awareness of 1\d+ bytes: at most 1048576/),
    });
    await bystanders.goOn();
  });

  test('a state too large for one message between gateways closes with 4400 and a sentence', async () => {
    const person = await Person.collab(gateway.port, 'presence');
    person.client.send(collab.awareness('presence', state(9, 1, 'a'.repeat(mib - 100))));
    expect(await person.client.isClosed()).toEqual({
      code: 4400,
      reason: 'an awareness state of 1048487 characters: at most 131072 travel between gateways',
    });
    await bystanders.goOn();
  });

  test('what somebody claims of ids that others own counts too', async () => {
    const name = 'presence-claims';
    const watching = await onlookers(name);
    const owner = await Person.collab(gateway.port, name);
    const ids = Array.from({ length: 20 }, (_, i) => i + 1);
    owner.client.send(collab.awareness(name, ...ids.map((id) => state(id, 1, 'owner'))));
    for (const person of watching) await sees(person, 20, 'owner');
    const greedy = await Person.y(gateway.port, name);
    for (const id of ids) greedy.client.send(y.awareness(state(id, 2, 'a'.repeat(120_000))));
    await until(() => greedy.client.closed !== undefined || greedy.client.all('awareness').length > 0, 'it was heard');
    for (const person of watching) for (const id of ids) await sees(person, id, 'owner');
    await leave(owner, greedy, ...watching);
  });

  test('one connection cannot fill the room: people who come after it are still seen', async () => {
    const name = 'presence-crowd';
    const watching = await onlookers(name);
    const offender = await Person.collab(gateway.port, name);
    for (let from = 1; from <= 20_000; from += 4_000)
      offender.client.send(collab.awareness(name, ...Array.from({ length: 4_000 }, (_, i) => state(from + i, 1, 0))));
    expect(await offender.client.isClosed()).toMatchObject({
      code: 4400,
      reason: expect.stringMatching(/^awareness of \d+ client ids: at most 1000/),
    });
    const ada = await Person.y(gateway.port, name);
    ada.client.send(y.awareness(state(50_000, 1, 'Ada')));
    for (const person of watching) await sees(person, 50_000, 'Ada');
    await leave(ada, ...watching);
  });

  test('many people together have more than one message holds: an owner change or a late gateway loses none', async () => {
    const name = 'presence-many';
    const people: Person[] = [];
    for (let id = 1; id <= 12; id++) {
      const person = await Person.collab(gateway.port, name);
      person.client.send(collab.awareness(name, state(id, 1, 'a'.repeat(120_000))));
      people.push(person);
    }
    const late = await Person.y(elsewhere.port, name);
    await until(() => seenBy(late).size === 12, 'a late gateway sees all', { seen: () => `${seenBy(late).size}` });
    await people[0]!.types('and edits go on');
    await late.sees('and edits go on');
    await leave(late, ...people);
  }, 40_000);
});
