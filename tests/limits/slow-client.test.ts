import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import { Bystanders } from './bystanders.ts';
import { collab, y } from './frames.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { RawClient } from './raw-client.ts';
import { until } from './until.ts';

const kib = 1024;
const page = 512 * kib;
const pages = 80;
let house: House;
let gateway: Gateway;
let strict: Gateway;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway({ WEFT_CONNECTION_HIGH_WATER: '64KiB' });
  strict = await house.gateway({ WEFT_CONNECTION_HIGH_WATER: '64KiB', WEFT_SLOW_CLIENT: '1s' });
});
afterAll(() => house.stop());

/** More than the kernel buffers of a connection take, each edit acknowledged. */
async function writePages(writer: Person): Promise<void> {
  for (let i = 1; i <= pages; i++) {
    writer.client.send(collab.update(writer.address, writer.edit('p'.repeat(page))));
    if (i % 10 === 0) await until(() => writer.client.statuses().length === i, 'the pages are acknowledged');
  }
}

describe('[L18][GW9] a client that stops reading', () => {
  test.each(['collab', 'y'] as const)(
    '%s: the others go on; when it reads again it is caught up with what it lacks, merged, sees who is here, and is equal',
    async (dialect) => {
      const name = `slow-${dialect}`;
      const others = await Bystanders.in(gateway.port, name);
      const slow = dialect === 'collab' ? await Person.collab(gateway.port, name) : await Person.y(gateway.port, name);
      slow.client.pause();
      const framesBefore = slow.client.frames.length;
      const writer = await Person.collab(gateway.port, name);
      await writePages(writer);
      await others.goOn(writer.doc.getText('t').toString());
      writer.client.send(collab.awareness(name, { clientId: 12, clock: 1, state: { name: 'came meanwhile' } }));
      await until(() => others.reader.client.all('awareness').length > 0, 'presence reaches who reads');

      slow.client.resume();
      // Forty megabytes to read, in a process that serves them too.
      await slow.sees('[back 0]', { withinMs: 40_000 });
      expect(slow.text()).toBe(others.writer.text());
      expect(slow.unreadable).toEqual([]);
      // Pages as they were written came only while the kernel and the high-water mark held them; the rest came merged, in frames of a size of their own.
      const asWritten = slow.client.frames.slice(framesBefore).filter((frame) => frame.is === 'update' && frame.update.byteLength >= page);
      expect(asWritten.length).toBeLessThan(pages - 10);
      await until(
        () => slow.client.all('awareness').some(({ entries }) => entries.some(({ clientId }) => clientId === 12)),
        'who came meanwhile is seen too',
      );
      await others.goOn();
      await slow.sees('[back 1]');
      expect(slow.client.closed).toBeUndefined();
      for (const { client } of [slow, writer]) await client.close();
      await others.leave();
    },
    90_000,
  );

  test('is closed with 1013 and a sentence when it does not read for too long; the others go on', async () => {
    const name = 'slow-closed';
    const others = await Bystanders.in(strict.port, name);
    const slowBefore = house.count('slow-client');
    const slow = await Person.collab(strict.port, name);
    slow.client.pause();
    const writer = await Person.collab(strict.port, name);
    await writePages(writer);
    await until(() => house.count('slow-client') > slowBefore, 'it is given up', { withinMs: 20_000 });
    // At once: uWebSockets.js keeps who was told for some 12 s, and then cuts (1006).
    slow.client.resume();
    expect(await slow.client.isClosed(15_000)).toEqual({
      code: 1013,
      reason: 'too slow: the connection did not take what was sent for 1000 ms',
    });
    await others.goOn(writer.doc.getText('t').toString());
    await writer.client.close();
    await others.leave();
  }, 120_000);

  test('is closed also when it never reads what it asked for', async () => {
    const name = 'slow-join';
    const others = await Bystanders.in(strict.port, name);
    const writer = await Person.collab(strict.port, name);
    await writePages(writer);
    await others.goOn(writer.doc.getText('t').toString());
    const slowBefore = house.count('slow-client');
    const one = await RawClient.collab(strict.port);
    one.send(collab.auth(name), collab.step1(name));
    one.pause();
    const other = await RawClient.y(strict.port, name);
    other.send(y.step1());
    other.pause();
    await until(() => house.count('slow-client') >= slowBefore + 2, 'both are given up', { withinMs: 40_000 });
    for (const client of [one, other]) {
      client.resume();
      expect(await client.isClosed(15_000)).toMatchObject({ code: 1013, reason: expect.stringMatching(/^too slow/) });
    }
    await writer.client.close();
    await others.leave();
  }, 120_000);
});
