import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import * as Y from 'yjs';
import { Bystanders } from './bystanders.ts';
import { collab, y } from './frames.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { until } from './until.ts';

let house: House;
let gateway: Gateway;
let elsewhere: Gateway;
let viewer: string;
let commenter: string;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
  elsewhere = await house.gateway();
  viewer = house.signer.token({ sub: 'v', documents: { '*': 'viewer' } });
  commenter = house.signer.token({ sub: 'c', documents: { '*': 'commenter' } });
});
afterAll(() => house.stop());

describe('[L13] who may not edit', () => {
  test.each([
    ['a viewer', () => viewer],
    ['a commenter', () => commenter],
  ])('%s: an Update is answered with 0, reaches nobody and not the log', async (_, token) => {
    const name = `rights-${_}`;
    const others = await Bystanders.in(gateway.port, name, { readerPort: elsewhere.port });
    await others.goOn();
    const person = await Person.collab(gateway.port, name, { token: token() });
    expect((await person.client.heard('authenticated')).scope).toBe('readonly');
    person.client.send(collab.update(name, person.edit('graffiti')), collab.update(name, person.edit('more')));
    await until(() => person.client.statuses().length === 2, 'both are answered');
    expect(person.client.statuses()).toEqual([0, 0]);
    await others.goOn();
    await others.findNothingElseInTheLog(house);
    await person.sees('[there 1]');
    expect(person.client.closed).toBeUndefined();
    await person.client.close();
    await others.leave();
  });

  test('an empty update of a viewer is answered with 1: it is no edit', async () => {
    const person = await Person.collab(gateway.port, 'rights-empty', { token: viewer });
    person.client.send(collab.update('rights-empty', Uint8Array.of(0, 0)));
    await person.client.heard('status');
    expect(person.client.statuses()).toEqual([1]);
    await person.client.close();
  });

  test('a Step2 of a viewer is answered with 1 only when it brings nothing new, deletes counted', async () => {
    const name = 'rights-step2';
    const others = await Bystanders.in(gateway.port, name);
    await others.goOn();
    const writer = await Person.collab(gateway.port, name);
    writer.text();
    const before = Y.encodeStateVector(writer.doc);
    writer.doc.getText('t').delete(0, 3);
    const deletes = Y.encodeStateAsUpdate(writer.doc, before);
    writer.client.send(collab.update(name, deletes));
    await writer.client.heard('status');

    const person = await Person.collab(gateway.port, name, { token: viewer });
    const answers = async (update: Uint8Array): Promise<number> => {
      const count = person.client.statuses().length + 1;
      person.client.send(collab.step2(name, update));
      return (await person.client.heard('status', { count })).taken;
    };
    expect(await answers(Uint8Array.of(0, 0))).toBe(1);
    expect(await answers(Y.encodeStateAsUpdate(person.doc))).toBe(1);
    expect(await answers(deletes)).toBe(1);

    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(person.doc));
    const known = Y.encodeStateVector(doc);
    doc.getText('t').delete(0, 2);
    expect(await answers(Y.encodeStateAsUpdate(doc, known))).toBe(0);
    doc.getText('t').insert(0, 'graffiti');
    expect(await answers(Y.encodeStateAsUpdate(doc))).toBe(0);

    const text = person.text();
    await writer.types('!');
    expect(writer.text()).toBe(`${text}!`);
    for (const { client } of [writer, person]) await client.close();
    await others.leave();
  });

  test('y: edits of a viewer are dropped, its reading goes on', async () => {
    const name = 'rights-y';
    const others = await Bystanders.in(gateway.port, name, { readerPort: elsewhere.port });
    const person = await Person.y(gateway.port, name, viewer);
    person.client.send(y.update(person.edit('graffiti')), y.step2(person.edit('more')));
    await others.goOn();
    await others.findNothingElseInTheLog(house);
    await person.sees('[there 0]');
    expect(person.client.closed).toBeUndefined();
    await person.client.close();
    await others.leave();
  });

  test.each(['collab', 'y'] as const)('%s: the awareness of a viewer shows, on other gateways too', async (dialect) => {
    const name = `rights-awareness-${dialect}`;
    const near = await Person.collab(gateway.port, name);
    const far = await Person.y(elsewhere.port, name);
    const cursor = { clientId: 4711, clock: 1, state: { name: 'Viewer', cursor: 3 } };
    const person =
      dialect === 'collab' ? await Person.collab(gateway.port, name, { token: viewer }) : await Person.y(gateway.port, name, viewer);
    person.client.send(dialect === 'collab' ? collab.awareness(name, cursor) : y.awareness(cursor));
    for (const { client } of [near, far])
      await until(
        () => client.all('awareness').some(({ entries }) => entries.some(({ clientId }) => clientId === 4711)),
        'the viewer shows',
      );
    for (const { client } of [near, far, person]) await client.close();
  });
});
