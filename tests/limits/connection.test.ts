import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import * as Y from 'yjs';
import { Bystanders } from './bystanders.ts';
import { collab } from './frames.ts';
import { House } from './house.ts';
import { logWithAppend } from './faulty-log.ts';
import { Person } from './person.ts';
import { RawClient } from './raw-client.ts';
import { textOf } from './text-of.ts';
import { until } from './until.ts';

let house: House;
let gateway: Gateway;
let bystanders: Bystanders;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
  bystanders = await Bystanders.in(gateway.port, 'connection');
});
afterAll(() => house.stop());

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

function updateOf(words: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('t').insert(0, words);
  return Y.encodeStateAsUpdate(doc);
}

describe('[L6] a connection has at most 100 documents open', () => {
  test('100 pass; the 101st is PermissionDenied with a sentence, whatever a provider sends with it; the 100 go on', async () => {
    const client = await RawClient.collab(gateway.port);
    const hundred = names(100, 'hundred');
    for (const name of hundred) client.send(collab.auth(name), collab.step1(name));
    await until(() => client.all('step2').length === 100, '100 documents are open', {
      seen: () =>
        `${client.all('step2').length} ${JSON.stringify(client.closed)} ${client.frames
          .slice(-3)
          .map((frame) => JSON.stringify(frame))
          .join(' ')}`,
    });

    client.send(collab.auth('one-more'), collab.step1('one-more'), collab.awareness('one-more', { clientId: 1, clock: 1, state: {} }));
    const denied = await client.heard('denied');
    expect(denied).toMatchObject({ address: 'one-more', text: 'at most 100 documents may be open on one connection' });
    client.send(collab.update('hundred-99', updateOf('on')));
    await client.heard('status', { address: 'hundred-99' });
    expect(client.closed).toBeUndefined();
    await bystanders.goOn();

    client.send(collab.close('hundred-0'), collab.auth('one-more'), collab.step1('one-more'));
    await client.heard('step2', { address: 'one-more' });
    expect(client.all('denied')).toHaveLength(1);
    await client.close();
  });

  test('what was denied or closed does not count: addresses come and go for ever', async () => {
    const client = await RawClient.collab(gateway.port);
    for (const name of names(250, 'coming')) {
      client.send(collab.auth(name, 'not a token'), collab.close(name));
      await client.heard('denied', { address: name });
      client.send(collab.close(name));
    }
    for (const name of names(250, 'going')) client.send(collab.close(name));
    const person = await Person.collab(gateway.port, 'still-room', { client });
    await person.types('yes');
    for (const name of names(99, 'room')) client.send(collab.auth(name), collab.step1(name));
    await until(() => client.all('step2').length === 100, '100 documents are open', {
      seen: () => `${client.all('step2').length} ${client.all('denied').at(-1)?.text} ${JSON.stringify(client.closed)}`,
    });
    await client.close();
    await bystanders.goOn();
  });
});

describe('[L7] frames before Auth are kept and handled after it', () => {
  test('in order: an Update, another that builds on it, Step1, and each has its answer', async () => {
    const name = 'kept';
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(update));
    doc.getText('t').insert(0, 'first ');
    doc.getText('t').insert(6, 'second');
    const client = await RawClient.collab(gateway.port);
    client.send(collab.update(name, updates[0]!), collab.stateless(name, 'hello'), collab.update(name, updates[1]!), collab.step1(name));
    await pause(50);
    expect(client.frames).toEqual([]);
    client.send(collab.auth(name));
    const step2 = await client.heard('step2', { address: name });
    await until(() => client.statuses(name).length === 2, 'both are acknowledged');
    expect(client.statuses(name)).toEqual([1, 1]);
    expect(client.frames[0]).toMatchObject({ is: 'authenticated', scope: 'read-write' });
    expect(textOf([...client.all('update').map(({ update }) => update), step2.update])).toBe('first second');
    expect(textOf(await house.logged(name))).toBe('first second');
    await client.close();
  });

  test('CLOSE among them closes what they opened: what comes after it waits for an Auth of its own', async () => {
    const name = 'kept-close';
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth(name), collab.update(name, updateOf('taken ')), collab.close(name));
    client.send(
      collab.step1(name),
      collab.update(name, updateOf('waits ')),
      collab.awareness(name, { clientId: 77, clock: 1, state: { here: true } }),
    );
    await client.heard('authenticated', { address: name });
    await until(async () => textOf(await house.logged(name)) === 'taken ', 'the first edit is in the log');
    const other = await Person.collab(gateway.port, name);
    expect(other.text()).toBe('taken ');
    expect(other.client.all('awareness').flatMap(({ entries }) => entries)).toEqual([]);
    expect(client.all('step2')).toEqual([]);
    client.send(collab.auth(name));
    await client.heard('step2', { address: name });
    await other.sees('waits ');
    await client.close();
    await other.client.close();
  });

  test.each([
    ['501 frames', () => Array.from({ length: 501 }, () => collab.step1('early'))],
    ['over 1 MiB', () => [collab.update('early', updateOf('x'.repeat(1024 * 1024)))]],
    ['101 documents', () => names(101, 'early').map((name) => collab.step1(name))],
  ])('%s close with 4205 and a sentence', async (_, frames) => {
    const offender = await RawClient.collab(gateway.port);
    offender.send(...frames());
    expect(await offender.isClosed()).toEqual({
      code: 4205,
      reason: 'too much before authentication: at most 500 frames, 1048576 bytes, 100 documents',
    });
    expect(await house.logged('early')).toEqual([]);
    await bystanders.goOn();
  });

  test('500 frames pass, and what was handled is not counted for ever', async () => {
    const client = await RawClient.collab(gateway.port);
    const large = updateOf('y'.repeat(400 * 1024));
    // A frame that waits all the time: the bytes of the others must be given back all the same.
    client.send(collab.step1('never-authenticated'));
    for (const name of names(5, 'early-large')) {
      client.send(collab.update(name, large), collab.auth(name));
      await client.heard('status', { address: name });
    }
    client.send(...Array.from({ length: 499 }, () => collab.queryAwareness('early-many')), collab.auth('early-many'));
    await until(() => client.all('awareness', 'early-many').length === 499, '499 questions are answered');
    expect(client.closed).toBeUndefined();
    await client.close();
  });
});

describe('[L8] Auth', () => {
  test('none by the deadline: 4408 with a sentence, also for who sends other things, and a failed one is none', async () => {
    const strict = await house.gateway({ WEFT_AUTH_DEADLINE: '300ms' });
    const others = await Bystanders.in(strict.port, 'deadline');
    const silent = await RawClient.collab(strict.port);
    const talking = await RawClient.collab(strict.port);
    talking.send(collab.step1('deadline'));
    const failing = await RawClient.collab(strict.port);
    failing.send(collab.auth('deadline', 'no token'));
    for (const client of [silent, talking, failing])
      expect(await client.isClosed()).toEqual({ code: 4408, reason: 'no valid Auth within 300 ms' });
    await others.goOn();
    await others.leave();
  });

  test('a failed one may be followed by a good one on the same connection', async () => {
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth('retry', 'no token'), collab.step1('retry'));
    expect((await client.heard('denied')).text).toBe('token is malformed');
    const person = await Person.collab(gateway.port, 'retry', { client, token: house.signer.token() });
    await person.types('in at last');
    expect(client.statuses()).toEqual([1]);
    await client.close();
  });

  test('another one on an open document changes rights, both ways', async () => {
    const name = 'refresh';
    const others = await Bystanders.in(gateway.port, name);
    const editor = house.signer.token({ sub: 'e' });
    const viewer = house.signer.token({ sub: 'v', documents: { '*': 'viewer' } });
    const person = await Person.collab(gateway.port, name, { token: editor });
    await person.types('one ');
    const { client } = person;
    client.send(collab.auth(name, viewer));
    expect(await client.heard('authenticated', { count: 2 })).toMatchObject({ scope: 'readonly' });
    client.send(collab.update(name, person.edit('kept ')));
    await client.heard('status', { count: 2 });
    expect(client.statuses()).toEqual([1, 0]);
    client.send(collab.auth(name, editor));
    expect(await client.heard('authenticated', { count: 3 })).toMatchObject({ scope: 'read-write' });
    // What was refused it keeps, and what it makes next builds on that: it is asked for it, and answers as providers do (GW16).
    const { stateVector } = await client.heard('step1', { count: 2 });
    client.send(collab.step2(name, Y.encodeStateAsUpdate(person.doc, stateVector)));
    await client.heard('status', { count: 3 });
    await person.types('two ');
    client.send(collab.auth(name, house.signer.token({ documents: { elsewhere: 'editor' } })));
    expect(await client.heard('denied')).toMatchObject({ text: 'token gives no right to this document' });
    client.send(collab.update(name, updateOf('never ')));
    await others.goOn('one kept two ');
    expect(client.statuses()).toEqual([1, 0, 1, 1]);
    expect(textOf(await house.logged(name))).not.toContain('never');
    await client.close();
    await others.leave();
  });
});

describe('[L9] CLOSE and reopen on the same connection', () => {
  test('an acknowledgement of the earlier opening does not reach the later one', async () => {
    const name = 'reopened';
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const slow = await house.gateway(
      {},
      { wal: (real) => logWithAppend(real, (slice, record) => held.then(() => real.append(slice, record))) },
    );
    const client = await RawClient.collab(slow.port);
    client.send(collab.auth(name), collab.update(name, updateOf('before ')), collab.close(name), collab.auth(name), collab.step1(name));
    await client.heard('authenticated', { count: 2 });
    await client.heard('step2', { address: name });
    letGo();
    await until(async () => textOf(await house.logged(name)) === 'before ', 'the edit is in the log');
    client.send(collab.update(name, updateOf('after ')));
    await client.heard('status', { address: name });
    await pause(50);
    expect(client.statuses(name)).toEqual([1]);
    expect(textOf(await house.logged(name))).toContain('after ');
    await client.close();
  });

  test('BroadcastStateless closes that document only, with a sentence', async () => {
    const client = await RawClient.collab(gateway.port);
    const person = await Person.collab(gateway.port, 'broadcast-kept', { client });
    await Person.collab(gateway.port, 'connection', { client });
    client.send(collab.broadcastStateless('connection', 'to all'));
    expect(await client.heard('close')).toMatchObject({ address: 'connection', text: 'BroadcastStateless is not for clients' });
    await person.types('goes on');
    expect(bystanders.writer.client.all('stateless')).toEqual([]);
    await bystanders.goOn();
    await client.close();
  });
});

describe('[L10] messages beside edits', () => {
  test('Stateless reaches the others, on other gateways too, and not its sender', async () => {
    const name = 'stateless';
    const elsewhere = await house.gateway();
    const sender = await Person.collab(gateway.port, name);
    const near = await Person.collab(gateway.port, name);
    const far = await Person.collab(elsewhere.port, name);
    const y = await Person.y(gateway.port, name);
    sender.client.send(collab.stateless(name, 'saved as v1 ✓'));
    for (const { client } of [near, far]) expect((await client.heard('stateless')).text).toBe('saved as v1 ✓');
    await sender.types('x');
    await y.sees('x');
    expect(sender.client.all('stateless')).toEqual([]);
    for (const { client } of [sender, near, far, y]) await client.close();
  });

  test('a Stateless too large for the bus closes with 4400 and a sentence', async () => {
    const offender = await Person.collab(gateway.port, 'connection');
    offender.client.send(collab.stateless('connection', 's'.repeat(1024 * 1024)));
    expect(await offender.client.isClosed()).toEqual({
      code: 4400,
      reason: 'a stateless message of 1048576 bytes: at most 1046528 travel between gateways',
    });
    await bystanders.goOn();
    expect(bystanders.writer.client.all('stateless')).toEqual([]);
  });

  test('QueryAwareness is answered with who is here', async () => {
    const one = await Person.collab(gateway.port, 'query');
    one.client.send(collab.awareness('query', { clientId: 5, clock: 1, state: { name: 'Ada' } }));
    const other = await Person.collab(gateway.port, 'query');
    const before = other.client.all('awareness').length;
    other.client.send(collab.queryAwareness('query'));
    const answer = await other.client.heard('awareness', { count: before + 1 });
    expect(answer.entries).toEqual([{ clientId: 5, clock: 1, state: { name: 'Ada' } }]);
    for (const { client } of [one, other]) await client.close();
  });

  test('SyncReply is taken as Sync', async () => {
    const one = await Person.collab(gateway.port, 'sync-reply');
    one.client.send(collab.syncReply('sync-reply', updateOf('by reply')));
    await one.client.heard('status');
    expect(one.client.statuses()).toEqual([1]);
    expect(textOf(await house.logged('sync-reply'))).toBe('by reply');
    await one.client.close();
  });
});
