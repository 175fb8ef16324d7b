import type { WeftWebSocket } from '@weft/client';
import { afterAll, afterEach, beforeAll, expect, onTestFailed, test } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { untilEqual, untilPresent } from '../harness/gathering.ts';
import { randomFrom } from '../harness/random.ts';
import { editAtRandom, sharedTypes } from '../harness/random-edits.ts';
import { User, type UserKind, userKinds } from '../harness/users.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { weftSockets } from './weft-sockets.ts';

/** Genuine providers with @weft/client's class (libs/client/SPEC.md) on the genuine gateway. */
let cluster: Cluster;
const users: User[] = [];

beforeAll(async () => {
  cluster = await startCluster();
});
afterEach(() => {
  for (const user of users.splice(0)) user.leave();
});
afterAll(() => cluster?.kill());

interface Joined {
  readonly user: User;
  readonly sockets: WeftWebSocket[];
}

async function join(kind: UserKind, name: string, document: string, how: 'fallback' | 'websocket', url = cluster.url(0)): Promise<Joined> {
  const token = await cluster.token({ documents: document });
  const sockets: WeftWebSocket[] = [];
  const byFallback = { sockets: weftSockets({ WebSocket: null }, (socket) => sockets.push(socket)) };
  const user = new User({ kind, name, url, document, token, ...(how === 'fallback' ? byFallback : {}) });
  users.push(user);
  await user.untilSynced();
  return { user, sockets };
}

test('[CL51] three kinds of providers edit together by the fallback and by WebSocket: all equal, every edit answered once, presence right', async () => {
  onTestFailed(() => console.error(cluster.logTails()));
  const random = randomFrom(6);
  const joined = await Promise.all(
    userKinds.flatMap((kind) => (['fallback', 'websocket'] as const).map((how) => join(kind, `${kind} by ${how}`, 'together', how))),
  );
  const people = joined.map(({ user }) => user);
  const names = people.map(({ name }) => name);
  await untilPresent(people, names);
  const edits = 100;
  for (let i = 0; i < edits; i++) {
    for (const { doc, name } of people) editAtRandom(doc, random.pick(sharedTypes), random, name);
    await new Promise(setImmediate);
  }
  for (const user of people) if (user.tally) await user.untilAcknowledged();
  await untilEqual(people.map(({ doc }) => doc));
  for (const { tally, name } of people)
    if (tally) expect(tally, name).toMatchObject({ sockets: 1, asked: edits + 1, taken: edits + 1, refused: 0, surplus: 0 });
  expect(joined.flatMap(({ sockets }) => sockets.map(({ transport }) => transport))).toEqual(['fallback', 'fallback', 'fallback']);

  // Who leaves is gone for the others, at once.
  const [leaver] = users.splice(0, 1);
  leaver!.leave();
  await untilPresent(
    users,
    names.filter((name) => name !== leaver!.name),
  );
});

test.each(userKinds)('[CL41] %s notices nothing of streams and pushes that are cut again and again', async (kind) => {
  onTestFailed(() => console.error(cluster.logTails()));
  const wire = await TcpProxy.to(cluster.url(0));
  const document = `cut ${kind}`;
  const { user, sockets } = await join(kind, 'cut', document, 'fallback', wire.url.replace('nats:', 'ws:'));
  const { user: other } = await join('hocuspocus-4', 'other', document, 'websocket');
  for (let i = 0; i < 20; i++) {
    user.doc.getText('t').insert(0, `<${i}>`);
    other.doc.getText('t').insert(0, `[${i}]`);
    await new Promise((resolve) => setTimeout(resolve, 120));
    wire.cut();
  }
  await untilEqual([user.doc, other.doc]);
  if (user.tally) {
    await user.untilAcknowledged();
    // One for each edit and one for the Step2 of the join: none twice, none left out.
    expect(user.tally).toMatchObject({ sockets: 1, asked: 21, taken: 21, refused: 0, surplus: 0 });
  }
  expect(sockets.map(({ readyState }) => readyState)).toEqual([1]);
  user.leave();
  users.splice(users.indexOf(user), 1);
  wire.close();
});

test('[CL7] y-websocket hears why it is refused, and does not come back', async () => {
  const sockets: WeftWebSocket[] = [];
  const closes: string[] = [];
  const watch = (socket: WeftWebSocket): void => {
    sockets.push(socket);
    socket.addEventListener('close', ({ code, reason }) => closes.push(`${code} ${reason}`));
  };
  const token = await cluster.token({ documents: 'another' });
  const options = { kind: 'y-websocket', name: 'stranger', url: cluster.url(0), document: 'closed', token } as const;
  const stranger = new User({ ...options, sockets: weftSockets({ WebSocket: null }, watch) });
  users.push(stranger);
  await expect.poll(() => closes, { timeout: 10_000 }).toEqual(['4403 token gives no right to this document']);
  // Its first pause is 0.2 s.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(sockets).toHaveLength(1);
});
