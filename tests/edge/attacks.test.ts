import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentInTarget } from '@weft/protocol';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { collab } from '../limits/frames.ts';
import { RawClient } from '../limits/raw-client.ts';
import { Forger } from './forger.ts';
import { EdgeHouse } from './house.ts';
import { ask, handshake, type RawAnswer, type RawRequest, statusOf } from './raw-request.ts';

const page = 'https://app.example.com';

let house: EdgeHouse;
let forger: Forger;
beforeAll(async () => {
  house = await EdgeHouse.start({ env: { WEFT_ORIGINS: page } });
  forger = new Forger(house.signer);
});
afterAll(() => house.stop());

type Way = 'through the edge' | 'to the gateway';
const ways: readonly Way[] = ['through the edge', 'to the gateway'];

/** A WebSocket handshake, byte for byte. */
function shake(way: Way, target: string, headers: RawRequest['headers'] = []): Promise<RawAnswer> {
  const place = way === 'through the edge' ? { ca: house.edge.ca, port: house.edge.port } : { port: house.cluster.gateways[0]!.port };
  return ask({ ...place, target, headers: [...handshake, ...headers] });
}

/** What the one who was refused is told. */
const reasonOf = ({ headers, body }: RawAnswer): string =>
  headers['x-weft-reason'] ?? (JSON.parse(body) as { error: { message: string } }).error.message;

describe('[E3] a wrong token opens nothing, at the edge, at the gateway and inside a socket:', () => {
  const seconds = (from: number): number => Math.floor(Date.now() / 1000) + from;
  const tokens: [what: string, make: () => string, status: number, reason: string][] = [
    ['alg none', () => forger.byNobody(forger.accessClaims()), 401, 'token is not signed with EdDSA'],
    ['HS256 over the public key', () => forger.byPublicKey(forger.accessClaims()), 401, 'token is not signed with EdDSA'],
    [
      'HS256 in the header, EdDSA in truth',
      () => forger.byHouse(forger.accessClaims(), { alg: 'HS256' }),
      401,
      'token is not signed with EdDSA',
    ],
    ['expired', () => forger.byHouse(forger.accessClaims({ exp: seconds(-60) })), 401, 'token expired'],
    ['not yet valid', () => forger.byHouse(forger.accessClaims({ nbf: seconds(60) })), 401, 'token is not valid yet'],
    ['another audience', () => forger.byHouse(forger.accessClaims({ aud: 'bank' })), 401, 'token is for another audience'],
    ['another issuer', () => forger.byHouse(forger.accessClaims({ iss: 'mallory' })), 401, 'token is from another issuer'],
    ['an unknown kid', () => forger.byHouse(forger.accessClaims(), { kid: 'nobody' }), 401, 'token signed by an unknown key'],
    ['a key of its own, under our kid', () => forger.byStranger(forger.accessClaims()), 401, 'token signature is wrong'],
    [
      'its own key in the header',
      () => forger.byStranger(forger.accessClaims(), { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AA' } }),
      401,
      'token signature is wrong',
    ],
    [
      'claims exchanged',
      () => forger.exchanged(house.token({ documents: { other: 'viewer' } }), forger.accessClaims()),
      401,
      'token signature is wrong',
    ],
    ['a grant', () => forger.grant('plan'), 401, 'this is no access token'],
    [
      'a right to another document',
      () => house.token({ documents: { plan2: 'owner', Plan: 'owner' } }),
      403,
      'token gives no right to this document',
    ],
    ['nonsense', () => 'letmein', 401, 'token is malformed'],
  ];

  test.each(tokens)('%s', async (_what, make, status, reason) => {
    const token = make();
    for (const way of ways) {
      const answer = await shake(way, `/yjs/plan?token=${token}`);
      expect([way, answer.status, reasonOf(answer)]).toEqual([way, status, reason]);
      const bearer = await shake(way, '/yjs/plan', [['Authorization', `Bearer ${token}`]]);
      expect([way, bearer.status, reasonOf(bearer)]).toEqual([way, status, reason]);
    }
    const client = await RawClient.collab(house.edge.port, house.edge.ca);
    client.send(collab.auth('plan', token));
    expect((await client.heard('denied')).text).toBe(reason);
    await client.close();
  });
});

describe('[E4] a grant', () => {
  const good = () => forger.grant('plan');
  const grants: [what: string, make: () => string, reason: string][] = [
    ['for another document', () => forger.grant('Plan'), 'grant is for another document'],
    ['tampered', () => forger.exchanged(good(), forger.grantClaims('plan', { role: 'owner', sub: 'mallory' })), 'grant signature is wrong'],
    ['of another key', () => forger.byStranger(forger.grantClaims('plan'), { typ: 'weft-grant+jwt' }), 'grant signature is wrong'],
    ['of an unknown key', () => forger.grant('plan', {}, { kid: 'nobody' }), 'grant signed by an unknown key'],
    [
      'expired',
      () => forger.grant('plan', { iat: Math.floor(Date.now() / 1000) - 120, exp: Math.floor(Date.now() / 1000) - 60 }),
      'grant expired',
    ],
    ['that is an access token', () => forger.byHouse(forger.accessClaims()), 'this is no grant'],
    ['without a signature', () => forger.byNobody(forger.grantClaims('plan')), 'grant is not signed with EdDSA'],
    ['that is nonsense', () => 'nonsense', 'grant is malformed'],
  ];

  test('that is good opens its document at the gateway, by itself', async () => {
    expect((await shake('to the gateway', '/yjs/plan', [['X-Weft-Grant', good()]])).status).toBe(101);
    expect((await shake('to the gateway', '/yjs/plan')).status).toBe(401);
  });

  test.each(grants)('%s is refused by the gateway, whatever token comes with it', async (_what, make, reason) => {
    const answer = await shake('to the gateway', `/yjs/plan?token=${house.token()}`, [['X-Weft-Grant', make()]]);
    expect([answer.status, reasonOf(answer)]).toEqual([401, reason]);
  });

  const sent: [string, () => string][] = [['that is good', good], ...grants.map(([what, make]): [string, () => string] => [what, make])];

  test.each(sent)('%s changes nothing when a client sends it to the edge', async (_what, make) => {
    for (const name of ['X-Weft-Grant', 'x-weft-grant', 'X_Weft_Grant']) {
      expect((await shake('through the edge', '/yjs/plan', [[name, make()]])).status).toBe(401);
      expect((await shake('through the edge', `/yjs/plan?token=${house.token()}`, [[name, make()]])).status).toBe(101);
    }
  });

  test('is not to be had from the edge', async () => {
    const token = house.token();
    for (const target of [
      '/auth/verify',
      '/auth/%76erify',
      '/auth//verify',
      '//auth/verify',
      '/auth/x/../verify',
      '/auth/VERIFY',
      '/_weft/verify',
      '/yjs/../auth/verify',
      '/auth/verify/',
      '/auth/verify?x',
    ]) {
      const answer = await shake('through the edge', target, [
        ['X-Original-URI', `/yjs/plan?token=${token}`],
        ['Authorization', `Bearer ${token}`],
      ]);
      expect([target, answer.status, answer.headers['x-weft-grant']]).toEqual([
        target,
        expect.toSatisfy((status) => status === 404 || status === 400),
        undefined,
      ]);
    }
  });
});

describe('[E5] the edge and the gateway open the same document, or none:', () => {
  const named: [target: string, name: string][] = [
    ['/yjs/plan', 'plan'],
    ['/yjs/Plan', 'Plan'],
    ['/yjs/plan/', 'plan/'],
    ['/yjs/a/b', 'a/b'],
    ['/yjs/a%2fb', 'a/b'],
    ['/yjs/a%2Fb', 'a/b'],
    ['/yjs/a%252fb', 'a%2fb'],
    ['/yjs//plan', '/plan'],
    ['/yjs/a//b', 'a//b'],
    ['/yjs/plan;x=y', 'plan;x=y'],
    ['/yjs/..;/plan', '..;/plan'],
    ['/yjs/%252e%252e%252fplan', '%2e%2e%2fplan'],
    ['/yjs/a%5c..%5cb', 'a\\..\\b'],
    ['/yjs/a%3Ftoken=x', 'a?token=x'],
    ['/yjs/a%23b', 'a#b'],
    ['/yjs/a+b', 'a+b'],
    ['/yjs/a%20b', 'a b'],
    ['/yjs/%d0%bf', 'п'],
    ['/yjs/yjs/plan', 'yjs/plan'],
    ['/yjs/plan%0d%0aX-Weft-Grant:%20x', 'plan\r\nX-Weft-Grant: x'],
  ];

  test.each(named)('%s is %j, and no other', async (target, name) => {
    const right = house.token({ documents: { [name]: 'editor' } });
    const others = Object.fromEntries(
      ['plan', 'a/b', 'a', 'b', `${name}x`, decodeURIComponent(target.slice(1))]
        .filter((one) => one !== name)
        .map((one) => [one, 'owner' as const]),
    );
    for (const way of ways) {
      expect([way, (await shake(way, `${target}?token=${right}`)).status]).toEqual([way, 101]);
      expect([way, (await shake(way, `${target}?token=${house.token({ documents: others })}`)).status]).toEqual([way, 403]);
    }
  });

  const nameless = [
    '/yjs/',
    '/yjs/..',
    '/yjs/../yjs/plan',
    '/yjs/%2e%2e/yjs/plan',
    '/yjs/..%2fyjs/plan',
    '/yjs/..%2f..%2fyjs%2fplan',
    '/yjs/a/../plan',
    '/yjs/a/%2e%2e/plan',
    '/yjs/./plan',
    '/yjs/%2e/plan',
    '/yjs/..%2f',
    '/yjs/..%2fcollab',
    '/yjs/%c0%ae%c0%ae/plan',
    '/yjs/%c0%afplan',
    '/yjs/plan%00',
    '/yjs/%00plan',
    '/yjs/plan#x',
    '/yjs/a\\..\\plan',
    '/yjs/pl\xe4n',
    '/yjs/%',
    '/yjs/%zz',
    '/yjs/%ED%A0%80',
    '//yjs/plan',
    '/%79js/plan',
    '/yjs%2fplan',
    '/YJS/plan',
    '/x/../yjs/plan',
    '/x/%2e%2e/yjs/plan',
    '/auth/..%2fyjs/plan',
    '/auth/../yjs/plan',
    '/collab/../yjs/plan',
    '/collab/',
    '/collab%2f',
    '/%63ollab',
    '/Collab',
    '//collab',
    '/collab;x',
    '/yjs/..%2f..%2fcollab',
    `/yjs/${'a'.repeat(256)}`,
  ];

  test.each(nameless)('%s is none, with a token for everything', async (target) => {
    const token = house.token({ documents: { '*': 'owner' } });
    for (const way of ways) {
      const answer = await shake(way, `${target}?token=${token}`);
      expect([way, answer.status]).toEqual([way, expect.toSatisfy((status: number) => status === 400 || status === 403 || status === 404)]);
    }
  });

  test('targets made of tricks, 300 of them from one seed: what can be said before is what edge and gateway do', async () => {
    const pieces = [
      '/',
      '//',
      '..',
      '.',
      '%2f',
      '%2F',
      '%2e',
      '%252e',
      '%5c',
      ';',
      '#',
      '?',
      '%00',
      '%c0%af',
      '%0a',
      '+',
      '%20',
      'a',
      'B',
      'yjs',
      'collab',
      'auth/verify',
    ];
    const random = randomFrom(printedSeed('targets made of tricks'));
    const token = house.token({ documents: { '*': 'owner' } });
    const opened = { yes: 0, no: 0 };
    for (let i = 0; i < 300; i++) {
      const target = `/yjs/${Array.from({ length: 1 + random.int(5) }, () => random.pick(pieces)).join('')}`;
      const stated = `${target}${target.includes('?') ? '&' : '?'}token=${token}`;
      const can = 'name' in documentInTarget(stated);
      const [edge, gateway] = await Promise.all(ways.map(async (way) => (await shake(way, stated)).status === 101));
      expect({ target, edge, gateway }).toEqual({ target, edge: can, gateway: can });
      opened[can ? 'yes' : 'no'] += 1;
    }
    expect(Math.min(opened.yes, opened.no)).toBeGreaterThan(50);
  });

  test('absolute-form: what the request line says besides the path decides nothing', async () => {
    const right = house.token({ documents: { plan: 'editor' } });
    expect((await shake('through the edge', `http://other.test/yjs/plan?token=${right}`)).status).toBe(101);
    expect((await shake('through the edge', `http://other.test/yjs/../yjs/plan?token=${right}`)).status).not.toBe(101);
    expect((await shake('through the edge', `http://other.test/yjs/closed?token=${right}`)).status).not.toBe(101);
    expect((await shake('to the gateway', `http://other.test/yjs/plan?token=${right}`)).status).not.toBe(101);
  });

  test('X-Original-URI and its like from a client change nothing', async () => {
    const right = house.token({ documents: { plan: 'editor' } });
    for (const name of ['X-Original-URI', 'X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Original-Method', 'X_Original_URI'])
      for (const value of ['/yjs/plan', `/yjs/plan?token=${right}`, '/collab']) {
        expect((await shake('through the edge', `/yjs/closed?token=${right}`, [[name, value]])).status).toBe(403);
        expect((await shake('through the edge', '/yjs/closed', [[name, value]])).status).toBe(401);
      }
  });
});

describe('[E6] pages of other origins', () => {
  test.each(ways)('%s: only pages that are listed open a socket, in both dialects', async (way) => {
    const targets = ['/collab', `/yjs/plan?token=${house.token()}`];
    for (const target of targets) {
      const statusWith = async (...origins: string[]) =>
        (
          await shake(
            way,
            target,
            origins.map((origin) => ['Origin', origin] as const),
          )
        ).status;
      expect(await statusWith(page)).toBe(101);
      expect(await statusWith()).toBe(101);
      for (const origin of [
        'https://evil.test',
        'null',
        `${page}.evil.test`,
        `${page}:8443`,
        'http://app.example.com',
        `https://127.0.0.1:${house.edge.port}`,
      ])
        expect([target, origin, await statusWith(origin)]).toEqual([target, origin, 403]);
    }
  });

  test('the access cookie is of no use to a page that is not listed', async () => {
    const cookie = ['Cookie', `weft_access=${house.token()}`] as const;
    for (const way of ways) {
      expect((await shake(way, '/yjs/plan', [cookie])).status).toBe(101);
      expect((await shake(way, '/yjs/plan', [cookie, ['Origin', 'https://evil.test']])).status).toBeOneOf([401, 403]);
    }
  });
});

describe('[E7] too much', () => {
  const headed = (headers: RawRequest['headers'], target = `/yjs/plan?token=${house.token()}`) =>
    shake('through the edge', target, headers);

  test('a header above 12 kB is refused, and many of them', async () => {
    expect((await headed([['X-Anything', 'x'.repeat(13_000)]])).status).toBe(400);
    expect((await headed(Array.from({ length: 10 }, (_, i) => [`X-Anything-${i}`, 'x'.repeat(6_000)] as const))).status).toBe(400);
    expect((await headed([], `/yjs/plan?token=${'x'.repeat(13_000)}`)).status).toBe(414);
  });

  test('a head that is just small enough is a refusal or an answer, never a fault of ours', async () => {
    const cookie = `a=${'c'.repeat(11_000)}`;
    expect((await headed([['Cookie', cookie]])).status).toBeLessThan(500);
    expect((await headed([['Cookie', cookie]], `/yjs/plan?token=${'x'.repeat(8_192)}`)).status).toBe(401);
    expect(
      (
        await headed(
          [
            ['Cookie', cookie],
            ['Authorization', `Bearer ${'x'.repeat(11_000)}`],
          ],
          `/yjs/plan?x=${'x'.repeat(11_000)}`,
        )
      ).status,
    ).toBeLessThan(500);
  });

  test('a body above 64 KiB is refused', async () => {
    const { ca, port } = house.edge;
    const body = 'x'.repeat(70_000);
    expect(
      await statusOf({ ca, port, method: 'POST', target: '/auth/sign-in', headers: [['Content-Length', String(body.length)]], body }),
    ).toBe(413);
  });
});

describe('[E8] TLS', () => {
  test('plain HTTP is sent on, and not answered', async () => {
    const { status, headers } = await ask({ port: house.edge.plainPort, target: `/yjs/plan?x=1`, headers: [['Host', 'weft.test']] });
    expect([status, headers['location']]).toEqual([308, 'https://weft.test/yjs/plan?x=1']);
  });

  test('browsers are told to come by TLS only', async () => {
    expect((await shake('through the edge', '/yjs/plan')).headers['strict-transport-security']).toBe('max-age=31536000');
  });
});
