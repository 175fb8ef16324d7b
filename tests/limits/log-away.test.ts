import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Environment } from '@weft/config';
import type { Gateway } from '@weft/gateway';
import { WalFull, WalUnavailable } from '@weft/wal';
import * as Y from 'yjs';
import { collab } from './frames.ts';
import { logWithAppend } from './faulty-log.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { textOf } from './text-of.ts';
import { until } from './until.ts';

let house: House;
let elsewhere: Gateway;
beforeAll(async () => {
  house = await House.start();
  elsewhere = await house.gateway();
});
afterAll(() => house.stop());

type Fault = 'none' | 'hangs' | 'unavailable' | 'full';

/** A gateway whose appends fail as `fault` says, until it says `none`. */
async function gatewayWithFault(env: Environment = {}): Promise<{ port: number; fault: (fault: Fault) => void }> {
  let fault: Fault = 'none';
  let woken: (() => void)[] = [];
  const gateway = await house.gateway(env, {
    wal: (real) =>
      logWithAppend(real, async (slice, record) => {
        while (fault === 'hangs') await new Promise<void>((resolve) => woken.push(resolve));
        if (fault === 'unavailable') throw new WalUnavailable('the log is away (test)');
        if (fault === 'full') throw new WalFull('the log is full (test)');
        return real.append(slice, record);
      }),
  });
  return {
    port: gateway.port,
    fault: (now) => {
      fault = now;
      for (const wake of woken) wake();
      woken = [];
    },
  };
}

describe('[L19][GW2] while the log takes no appends', () => {
  test.each(['hangs', 'unavailable', 'full'] as const)(
    '(%s) people on one gateway go on together, acknowledgements and other gateways wait; then all is delivered',
    async (fault) => {
      const name = `log-${fault}`;
      const faulty = await gatewayWithFault();
      const writer = await Person.collab(faulty.port, name);
      const near = await Person.y(faulty.port, name);
      const far = await Person.collab(elsewhere.port, name);
      await writer.types('before ');
      await far.sees('before ');

      faulty.fault(fault);
      const words = Array.from({ length: 20 }, (_, i) => `[${i}]`);
      for (const word of words) {
        writer.client.send(collab.update(name, writer.edit(word)));
        await near.sees(word);
      }
      const joiner = await Person.collab(faulty.port, name);
      expect(joiner.text()).toBe(`before ${words.join('')}`);
      await pause(300);
      expect(writer.client.statuses()).toEqual([1]);
      expect(far.text()).toBe('before ');
      expect(textOf(await house.logged(name))).toBe('before ');

      faulty.fault('none');
      await until(() => writer.client.statuses().length === 1 + words.length, 'all are acknowledged');
      expect(writer.client.statuses()).toEqual(Array(1 + words.length).fill(1));
      await far.sees(words.at(-1)!);
      expect(far.text()).toBe(`before ${words.join('')}`);
      expect(textOf(await house.logged(name))).toBe(`before ${words.join('')}`);
      await writer.types(' after');
      await far.sees(' after');
      for (const { client } of [writer, near, far, joiner]) await client.close();
    },
  );

  test('over the bound 1013 with a sentence; what was taken is delivered, and what was not is taken when it is sent again', async () => {
    const name = 'log-bound';
    const faulty = await gatewayWithFault({ WEFT_UNACKNOWLEDGED_BYTES_MAX: '1MiB' });
    const writer = await Person.collab(faulty.port, name);
    const bystander = await Person.collab(faulty.port, 'log-bound-other');
    faulty.fault('hangs');
    const page = 'p'.repeat(100 * 1024);
    for (let i = 0; i < 12; i++) writer.client.send(collab.update(name, writer.edit(page)));
    expect(await writer.client.isClosed()).toEqual({
      code: 1013,
      reason: 'edits wait to be saved and have reached their bound: keep the edit, try again later',
    });
    expect(writer.client.statuses()).toEqual([]);
    bystander.client.send(collab.update('log-bound-other', bystander.edit('small enough')));
    await pause(100);
    expect(bystander.client.closed).toBeUndefined();
    expect(bystander.client.statuses()).toEqual([]);

    faulty.fault('none');
    await until(() => bystander.client.statuses().length === 1, 'what was taken is acknowledged');
    await until(async () => textOf(await house.logged(name)).length === 10 * page.length, 'the ten pages that were taken are in the log');
    const again = await Person.collab(faulty.port, name);
    again.client.send(collab.step2(name, Y.encodeStateAsUpdate(writer.doc)));
    await again.client.heard('status');
    again.client.send(collab.update(name, writer.edit('!')));
    await again.client.heard('status', { count: 2 });
    expect(again.client.statuses()).toEqual([1, 1]);
    const far = await Person.y(elsewhere.port, name);
    await far.sees('!');
    expect(far.text()).toBe(writer.doc.getText('t').toString());
    for (const { client } of [again, bystander, far]) await client.close();
  });
});
