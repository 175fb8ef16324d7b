import type { Gateway } from '@weft/gateway';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collab, y } from '../limits/frames.ts';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { RawClient } from '../limits/raw-client.ts';
import { textOf } from '../limits/text-of.ts';
import { until } from '../limits/until.ts';
import { RightsBook } from './rights-book.ts';

let house: House;
let book: RightsBook;
let gateway: Gateway;
let elsewhere: Gateway;
beforeAll(async () => {
  house = await House.start({ auth: false });
  book = new RightsBook(await house.bus());
  gateway = await house.gateway();
  elsewhere = await house.gateway();
  book.write('bystander');
});
afterAll(() => house.stop());

const shortMs = 2_000;

describe('[GW12] what auth says changed reaches who is there, in place', () => {
  test('collab: an editor becomes a viewer and an editor again', async () => {
    book.write('ada', { user: 'ada' });
    const other = await Person.y(elsewhere.port, 'regraded', 'bystander');
    const ada = await Person.collab(gateway.port, 'regraded', { token: 'ada' });
    await ada.types('one ');
    book.write('ada', { role: 'viewer' });
    book.say({ user: 'ada' });
    expect(await ada.client.heard('authenticated', { count: 2 })).toMatchObject({ address: 'regraded', scope: 'readonly' });
    const kept = ada.edit('graffiti ');
    ada.client.send(collab.update('regraded', kept));
    await ada.client.heard('status', { count: 2 });
    expect(ada.client.statuses()).toEqual([1, 0]);
    await other.types('two ');
    await ada.sees('two ');
    expect(other.text()).toBe('one two ');
    expect(ada.client.closed).toBeUndefined();

    book.write('ada', { role: 'owner' });
    book.say({ user: 'ada', document: 'regraded' });
    expect(await ada.client.heard('authenticated', { count: 3 })).toMatchObject({ scope: 'read-write' });
    for (const { client } of [ada, other]) await client.close();
  });

  test('an edit that was taken before stays, and is acknowledged', async () => {
    book.write('taken', { user: 'taken' });
    const person = await Person.collab(gateway.port, 'taken', { token: 'taken' });
    person.client.send(collab.update('taken', person.edit('mine')));
    book.write('taken', { role: 'viewer' });
    book.say({ user: 'taken' });
    await person.client.heard('authenticated', { count: 2 });
    await person.client.heard('status');
    expect(person.client.statuses()).toEqual([1]);
    expect(textOf(await house.logged('taken'))).toBe('mine');
    await person.client.close();
  });

  test('y: what a viewer writes from then on is dropped, its reading goes on', async () => {
    book.write('yves', { user: 'yves' });
    const other = await Person.collab(elsewhere.port, 'regraded-y', { token: 'bystander' });
    const yves = await Person.y(gateway.port, 'regraded-y', 'yves');
    await yves.types('one ');
    await other.sees('one ');
    book.write('yves', { role: 'viewer' });
    const before = book.asked.length;
    book.say({ user: 'yves' });
    await until(() => book.asked.length > before, 'auth is asked');
    // Its answer takes another turn of the loop.
    await other.types('two ');
    await yves.sees('two ');
    yves.client.send(y.update(yves.edit('graffiti ')));
    await other.types('three ');
    await yves.sees('three ');
    expect(textOf(await house.logged('regraded-y'))).toBe('one two three ');
    for (const { client } of [yves, other]) await client.close();
  });

  test('a change of somebody else costs nobody a question; many of one token and document are one', async () => {
    book.write('crowd', { user: 'crowd' });
    const crowd = await Promise.all(Array.from({ length: 20 }, () => Person.y(gateway.port, 'crowd', 'crowd')));
    const before = book.asked.length;
    book.say({ user: 'nobody' });
    book.say({ user: 'crowd', document: 'elsewhere' });
    book.say({ session: 'crowd' });
    book.write('crowd', { role: 'viewer' });
    book.say({ user: 'crowd' });
    await until(() => book.asked.length > before, 'auth is asked');
    await Promise.all(crowd.map(({ client }) => client.close()));
    expect(book.asked.slice(before)).toEqual([{ token: 'crowd', document: 'crowd' }]);
  });
});

describe('[GW13] a right withdrawn', () => {
  test('collab: the address is told, the socket stays for what else is open, and goes with the last: 4403', async () => {
    for (const token of ['left', 'kept']) book.write(token, { user: 'bob', session: token });
    const client = await RawClient.collab(gateway.port);
    const left = await Person.collab(gateway.port, 'left', { token: 'left', client });
    const kept = await Person.collab(gateway.port, 'kept', { token: 'kept', client });
    await left.types('before');
    book.refuse('left', 'left', 'you were removed');
    book.say({ user: 'bob', document: 'left' });
    expect(await client.heard('denied')).toMatchObject({ address: 'left', text: 'you were removed' });
    client.send(collab.update('left', left.edit(' after')));
    await kept.types('still here');
    expect(textOf(await house.logged('left'))).toBe('before');
    book.refuse('kept', 'kept', 'signed out');
    book.say({ session: 'kept' });
    expect(await client.isClosed()).toEqual({ code: 4403, reason: 'signed out' });
    expect(client.all('denied', 'kept')).toHaveLength(1);
    expect(client.statuses('left')).toEqual([1]);
  });

  test('y: closed with 4403', async () => {
    book.write('yann', { user: 'yann' });
    const yann = await Person.y(gateway.port, 'withdrawn-y', 'yann');
    book.refuse('yann', 'withdrawn-y', 'you were removed');
    book.say({ document: 'withdrawn-y' });
    expect(await yann.client.isClosed()).toEqual({ code: 4403, reason: 'you were removed' });
  });

  test('another token brings the document back on the same socket, with what was missed', async () => {
    for (const token of ['old', 'new', 'spare']) book.write(token, { user: 'carol' });
    const client = await RawClient.collab(gateway.port);
    await Person.collab(gateway.port, 'spare', { token: 'spare', client });
    const carol = await Person.collab(gateway.port, 'back', { token: 'old', client });
    book.refuse('old', 'back');
    book.say({ user: 'carol' });
    await client.heard('denied', { address: 'back' });
    const other = await Person.y(elsewhere.port, 'back', 'bystander');
    await other.types('meanwhile');
    client.send(collab.auth('back', 'new'), collab.step1('back'));
    await carol.sees('meanwhile');
    await carol.types(' back');
    await other.sees(' back');
    await client.close();
    await other.client.close();
  });

  test('a refusal while the client brings another token waits for what that is worth', async () => {
    for (const token of ['worn', 'good', 'bad', 'spare']) book.write(token, { user: 'dora' });
    for (const [document, token] of [
      ['refreshed', 'good'],
      ['not-refreshed', 'bad'],
    ] as const) {
      const client = await RawClient.collab(gateway.port);
      await Person.collab(gateway.port, 'spare', { token: 'spare', client });
      const dora = await Person.collab(gateway.port, document, { token: 'worn', client });
      // Auth does not answer the first question about the other token for a moment; later Auths with it cannot put the decision off.
      let held = true;
      book.onQuestion = (question) => question.token !== token || !held;
      client.send(collab.auth(document, token));
      await until(
        () => book.asked.some((question) => question.token === token && question.document === document),
        'the Auth is being asked',
      );
      if (token === 'bad') book.refuse('bad', document);
      book.refuse('worn', document);
      book.say({ user: 'dora', document });
      await until(
        () => book.asked.filter((question) => question.token === 'worn' && question.document === document).length === 2,
        'asked again',
      );
      client.send(collab.auth(document, token), collab.auth(document, token));
      held = false;
      if (token === 'good') await client.heard('authenticated', { address: document, count: 2 });
      else await client.heard('denied', { address: document });
      if (token === 'good') await dora.types('still here');
      book.onQuestion = () => true;
      await client.close();
    }
  });

  test('"unavailable" changes nothing and is asked again', async () => {
    book.write('eve', { user: 'eve' });
    const eve = await Person.collab(gateway.port, 'unavailable', { token: 'eve' });
    let unanswered = 0;
    book.onQuestion = ({ token }) => {
      if (token === 'eve') unanswered += 1;
      return token !== 'eve';
    };
    book.refuse('eve', 'unavailable', 'you were removed');
    const unavailable = house.count('auth-unavailable');
    book.say({ user: 'eve' });
    await until(() => house.count('auth-unavailable') > unavailable, 'nobody can say');
    expect(unanswered).toBeGreaterThan(0);
    await eve.types('still here');
    book.onQuestion = () => true;
    expect(await eve.client.isClosed()).toMatchObject({ code: 4403 });
  });
});

describe('[GW14] a change is not missed', () => {
  test.each(['collab', 'y'] as const)('%s: that comes while somebody is being let in', async (dialect) => {
    const document = `letting-in-${dialect}`;
    book.write(document, { user: 'frank' });
    // Auth has looked and says yes; the right goes, and the word of it is heard first.
    book.onQuestion = (question) => {
      if (question.document !== document) return true;
      book.onQuestion = () => true;
      book.refuse(document, document, 'removed meanwhile');
      book.say({ user: 'frank' });
      return true;
    };
    if (dialect === 'y') {
      await expect(Person.y(gateway.port, document, document)).rejects.toMatchObject({ status: 403, sentence: 'removed meanwhile' });
      return;
    }
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth(document, document), collab.step1(document));
    expect(await client.heard('denied')).toMatchObject({ text: 'removed meanwhile' });
    await client.close();
  });

  test('whose word is lost is healed by asking everybody again', async () => {
    const often = await house.gateway({ WEFT_RIGHTS_RECHECK: '2s' });
    book.write('grace', { user: 'grace' });
    const people = [
      await Person.collab(often.port, 'unheard-collab', { token: 'grace' }),
      await Person.y(often.port, 'unheard-y', 'grace'),
    ];
    for (const document of ['unheard-collab', 'unheard-y']) book.refuse('grace', document);
    for (const { client } of people) expect(await client.isClosed()).toMatchObject({ code: 4403 });
  });
});

describe('[GW15] the end of a token', () => {
  test('collab: is told before, and another token on the same socket goes on', async () => {
    book.write('hour-1', { user: 'heidi', untilMs: Date.now() + shortMs });
    book.write('hour-2', { user: 'heidi' });
    const heidi = await Person.collab(gateway.port, 'hours', { token: 'hour-1' });
    expect(await heidi.client.heard('ask-for-token')).toMatchObject({ address: 'hours' });
    heidi.client.send(collab.auth('hours', 'hour-2'));
    await heidi.client.heard('authenticated', { count: 2 });
    await heidi.types('another hour');
    expect(heidi.client.all('step2')).toHaveLength(1);
    await heidi.client.close();
  });

  test('collab: without another it is over after the grace: 4401, or only that document where others are open', async () => {
    const untilMs = Date.now() + shortMs;
    for (const token of ['ends', 'ends-too']) book.write(token, { user: 'ivan', untilMs });
    const alone = await Person.collab(gateway.port, 'ending', { token: 'ends' });
    const client = await RawClient.collab(gateway.port);
    await Person.collab(gateway.port, 'ending', { token: 'ends-too', client });
    const other = await Person.collab(gateway.port, 'not-ending', { token: 'bystander', client });
    expect(await alone.client.isClosed()).toEqual({ code: 4401, reason: 'token expired' });
    expect(Date.now()).toBeGreaterThan(untilMs + 9_900);
    await client.heard('denied', { address: 'ending' });
    await other.types('still here');
    await client.close();
  });

  test('y: closed with 4401 at the end; who is given more time with the same token stays', async () => {
    book.write('ends-y', { untilMs: Date.now() + shortMs });
    book.write('longer-y', { untilMs: Date.now() + shortMs });
    const longer = await Person.y(gateway.port, 'ending-y', 'longer-y');
    const person = await Person.y(gateway.port, 'ending-y', 'ends-y');
    book.write('longer-y', { untilMs: Date.now() + 3_600_000 });
    expect(await person.client.isClosed()).toEqual({ code: 4401, reason: 'token expired' });
    await longer.types('still here');
    expect(longer.client.closed).toBeUndefined();
    await longer.client.close();
  });
});
