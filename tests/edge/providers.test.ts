import type { Role } from '@weft/grants';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { until } from '../harness/until.ts';
import { User, type UserKind, userKinds } from '../harness/users.ts';
import { EdgeHouse } from './house.ts';
import { ask, handshake, statusOf } from './raw-request.ts';

let house: EdgeHouse;
beforeAll(async () => {
  house = await EdgeHouse.start({ gateways: 2 });
});
afterAll(() => house.stop());

const users: User[] = [];
afterEach(() => {
  for (const user of users.splice(0)) user.leave();
});

function user(kind: UserKind, document: string, role: Role, name = `${role} by ${kind}`): User {
  const token = house.token({ sub: name, name, documents: { [document]: role } });
  const one = new User({ kind, name, url: house.edge.url, document, token, sockets: { ca: house.edge.ca } });
  users.push(one);
  return one;
}

const textOf = ({ doc }: User): string => doc.getText('t').toString();
const sees = (one: User, text: string): Promise<void> =>
  until(
    () => `${one.name} sees ${text} (sees ${textOf(one)})`,
    () => textOf(one).includes(text),
    (wake) => one.onNews(wake),
  );

describe('[E1] through nginx with TLS', () => {
  test('both dialects meet in a document, by their genuine providers, on two gateways', async () => {
    const crowd = userKinds.map((kind) => user(kind, 'plan/über allem', 'editor'));
    await Promise.all(crowd.map((one) => one.untilSynced()));
    for (const one of crowd) one.doc.getText('t').insert(0, `[${one.kind}]`);
    for (const one of crowd) for (const { kind } of crowd) await sees(one, `[${kind}]`);
    for (const one of crowd) if (one.tally) await one.untilAcknowledged();
  });

  test.each(userKinds)('%s: who may only read sees, and changes nothing', async (kind) => {
    const document = `read-only ${kind}`;
    const writer = user('hocuspocus-4', document, 'editor');
    const reader = user(kind, document, 'viewer');
    await Promise.all([writer.untilSynced(), reader.untilSynced()]);
    writer.doc.getText('t').insert(0, 'written');
    await sees(reader, 'written');
    reader.doc.getText('t').insert(0, 'SMUGGLED');
    writer.doc.getText('t').insert(7, ' and gone on');
    await sees(reader, 'and gone on');
    const witness = user('y-websocket', document, 'viewer', 'witness');
    await witness.untilSynced();
    await sees(witness, 'and gone on');
    expect(textOf(witness)).not.toContain('SMUGGLED');
    expect(textOf(writer)).not.toContain('SMUGGLED');
  });

  test.each(userKinds)('%s: who has no right never gets anything', async (kind) => {
    const writer = user('hocuspocus-4', 'closed', 'editor');
    await writer.untilSynced();
    writer.doc.getText('t').insert(0, 'secret');
    await writer.untilAcknowledged();
    const token = house.token({ documents: { other: 'owner' } });
    // What it hears of its refusal: a frame in the one dialect, no upgrade in the other.
    const refused = new Promise<void>((resolve) => {
      const watch = (socket: WebSocket): void => void socket.once('message', () => resolve()).once('unexpected-response', () => resolve());
      const sockets = { ca: house.edge.ca, watch };
      users.push(new User({ kind, name: 'stranger', url: house.edge.url, document: 'closed', token, sockets }));
    });
    await refused;
    const stranger = users.at(-1)!;
    expect(stranger.isSynced).toBe(false);
    expect(textOf(stranger)).toBe('');
  });
});

describe('[E2] refused before the upgrade', () => {
  const yjs = (target: string) => ask({ ca: house.edge.ca, port: house.edge.port, target, headers: handshake });

  test('401 without a token, and its reason', async () => {
    const { status, headers } = await yjs('/yjs/plan');
    expect([status, headers['x-weft-reason'], headers['www-authenticate']]).toEqual([401, 'a token is needed', 'Bearer realm="weft"']);
  });

  test('403 with a token of no right, and its reason', async () => {
    const { status, headers } = await yjs(`/yjs/plan?token=${house.token({ documents: { other: 'owner' } })}`);
    expect([status, headers['x-weft-reason']]).toEqual([403, 'token gives no right to this document']);
  });

  test('101 with a right, also by bearer and by the cookie of an own page; no grant, no version, no name of a server comes out', async () => {
    const token = house.token({ documents: { plan: 'viewer' } });
    const { status, headers } = await yjs(`/yjs/plan?token=${token}`);
    expect(status).toBe(101);
    expect(headers['x-weft-grant']).toBeUndefined();
    expect(headers['uwebsockets']).toBeUndefined();
    expect(headers['server']).toBe('nginx');
    const target = '/yjs/plan';
    const { ca, port } = house.edge;
    expect(await statusOf({ ca, port, target, headers: [...handshake, ['Authorization', `Bearer ${token}`]] })).toBe(101);
    const cookie = ['Cookie', `weft_access=${token}`] as const;
    expect(await statusOf({ ca, port, target, headers: [...handshake, cookie, ['Origin', `https://127.0.0.1:${port}`]] })).toBe(101);
    expect(await statusOf({ ca, port, target, headers: [...handshake, cookie, ['Origin', 'https://evil.test']] })).toBe(401);
  });

  test('no token in the access log', async () => {
    const token = house.token({ documents: { logged: 'viewer' } });
    await yjs(`/yjs/logged?token=${token}`);
    await expect.poll(() => house.edge.log('access')).toContain('/yjs/logged');
    expect(house.edge.log('access')).not.toContain(token.slice(0, 40));
  });
});
