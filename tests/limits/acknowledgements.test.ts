import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import * as Y from 'yjs';
import { Bystanders } from './bystanders.ts';
import { collab } from './frames.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { RawClient } from './raw-client.ts';
import { textOf } from './text-of.ts';
import { until } from './until.ts';

let house: House;
let gateway: Gateway;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
});
afterAll(() => house.stop());

/** Single-letter updates of one typist. */
function typing(letters: string): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const [i, letter] of letters.split('').entries()) doc.getText('t').insert(i, letter);
  return updates;
}

describe('[L14] exactly one SyncStatus for every Update and every Step2', () => {
  test('many in one tick, of one document and of several, are merged on the way in and answered one by one', async () => {
    const client = await RawClient.collab(gateway.port);
    const names = ['ack-a', 'ack-b', 'ack-c'];
    for (const name of names) client.send(collab.auth(name), collab.step1(name));
    await client.heard('step2', { count: 3 });
    const letters = 'the quick brown fox jumps over the lazy dog '.repeat(5);
    for (const update of typing(letters)) client.send(...names.map((name) => collab.update(name, update)));
    for (const name of names) client.send(collab.step2(name, Uint8Array.of(0, 0)));
    await until(() => client.statuses().length >= 3 * (letters.length + 1), 'all are answered');
    for (const name of names) {
      expect(client.statuses(name)).toEqual(Array(letters.length + 1).fill(1));
      expect(textOf(await house.logged(name))).toBe(letters);
    }
    const person = await Person.collab(gateway.port, 'ack-d', { client });
    await person.types('none came late');
    expect(client.statuses()).toHaveLength(3 * (letters.length + 1) + 1);
    await client.close();
  });

  test('an empty update, an update sent twice, and one that waits for another are each answered with 1', async () => {
    const name = 'ack-odd';
    const person = await Person.collab(gateway.port, name);
    const [first, second] = typing('ab') as [Uint8Array, Uint8Array];
    const frames = [
      collab.update(name, Uint8Array.of(0, 0)),
      collab.update(name, second),
      collab.update(name, first),
      collab.update(name, first),
    ];
    person.client.send(...frames, collab.step2(name, first), collab.step2(name, Uint8Array.of(0, 0)));
    await until(() => person.client.statuses().length === 6, 'all are answered');
    expect(person.client.statuses()).toEqual([1, 1, 1, 1, 1, 1]);
    const other = await Person.y(gateway.port, name);
    expect(other.text()).toBe('ab');
    await person.client.close();
    await other.client.close();
  });

  test('a malformed update between good ones: the good one is taken, the bad one 0, and the connection closed', async () => {
    const name = 'ack-malformed';
    const others = await Bystanders.in(gateway.port, name);
    const offender = await Person.collab(gateway.port, name);
    offender.client.send(
      collab.update(name, offender.edit('good')),
      collab.update(name, Uint8Array.of(1, 1, 1)),
      collab.update(name, offender.edit('too late')),
    );
    expect(await offender.client.isClosed()).toMatchObject({ code: 4400, reason: expect.stringMatching(/^update of 3 bytes: /) });
    expect(offender.client.statuses().filter((taken) => taken === 0)).toHaveLength(1);
    await others.goOn('good');
    await others.findNothingElseInTheLog(house);
    await others.leave();
  });

  test('an edit is acknowledged only when it is in the log', async () => {
    const name = 'ack-durable';
    const person = await Person.collab(gateway.port, name);
    for (let i = 0; i < 10; i++) {
      const words = `[${i}]`;
      await person.types(words);
      expect(textOf(await house.logged(name))).toContain(words);
    }
    await person.client.close();
  });

  test('with WEFT_ACK_AFTER=database it is acknowledged only when Postgres has it', async () => {
    const name = 'ack-database';
    const careful = await house.gateway({ WEFT_ACK_AFTER: 'database' });
    const person = await Person.collab(careful.port, name);
    await person.types('kept');
    const { snapshot, tail } = await house.store.loadDocument(name, 0);
    expect(textOf([...snapshot.pieces, ...tail])).toBe('kept');
    await person.client.close();
  });
});
