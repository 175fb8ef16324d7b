import type { Gateway } from '@weft/gateway';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { SessionPerson } from './session-person.ts';

let house: House;
let gateway: Gateway;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
});
afterAll(() => house.stop());

describe('[GW40] a session is a client like any other', () => {
  test.each(['collab', 'yjs'] as const)(
    '%s: what it edits reaches sockets of both dialects, and what they edit reaches it',
    async (dialect) => {
      const name = `all-${dialect}`;
      const session = await SessionPerson.in(gateway.port, name, dialect);
      const others = [await Person.collab(gateway.port, name), await Person.y(gateway.port, name)];
      const neighbours = [await SessionPerson.in(gateway.port, name, 'collab'), await SessionPerson.in(gateway.port, name, 'yjs')];
      await session.types('[session]');
      for (const other of [...others, ...neighbours]) await other.sees('[session]');
      for (const [i, other] of others.entries()) {
        await other.types(`[socket ${i}]`);
        for (const one of [session, ...neighbours]) await one.sees(`[socket ${i}]`);
      }
      await neighbours[0]!.types('[neighbour]');
      for (const one of [session, ...others, neighbours[1]!]) await one.sees('[neighbour]');
      // Nobody is sent its own edits.
      expect(session.client.all('update').length).toBe(3);
      for (const one of [session, ...neighbours]) await one.client.leave();
      for (const one of others) await one.client.close();
    },
  );
});
