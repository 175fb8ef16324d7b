import { temporaryFolder } from '@weft/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from '../limits/person.ts';
import { StandaloneProcess } from '../standalone/standalone-process.ts';
import { ask } from './raw-session.ts';
import { SessionPerson } from './session-person.ts';

/** As `npm start` runs it: one process, one port. */
let house: StandaloneProcess;
beforeAll(async () => {
  house = await StandaloneProcess.plan(temporaryFolder('fallback-standalone'));
  await house.start();
}, 240_000);
afterAll(() => house?.stop());

test('[GW40] npm start serves /sse and /push on its port: a guest edits without WebSocket', async () => {
  const session = await SessionPerson.in(house.port, 'welcome');
  const other = await SessionPerson.in(house.port, 'welcome', 'yjs');
  const socket = await Person.collab(house.port, 'welcome');
  await session.types('[session]');
  await socket.sees('[session]');
  await socket.types('[socket]');
  await other.sees('[socket]');
  await session.sees('[socket]');
  for (const one of [session, other]) await one.client.leave();
  await socket.client.close();
});

test('[GW49] pages of this machine may, others may not', async () => {
  const from = async (origin: string): Promise<number> =>
    (await ask(house.port, { path: '/sse?dialect=collab', headers: { origin }, forBytes: 1 })).status;
  expect([await from('http://localhost:5173'), await from('https://evil.example')]).toEqual([200, 403]);
});
