import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { verifyGrant } from '@weft/grants';
import type { Decision } from '@weft/grants';
import { documentInTarget } from '@weft/protocol';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { TokensDecider } from '../deciders/tokens.ts';
import { DeciderUnavailable } from '../deciders/decider.ts';
import type { Decider } from '../deciders/decider.ts';
import { generateSigningKeyPem, importSigningKey, verifyingKeys } from '../signing-key.ts';
import type { SigningKey } from '../signing-key.ts';
import { signToken } from '../token.ts';
import { verifyRoutes } from './verify-routes.ts';
import type { VerifyDeps, VerifyOutcome } from './verify-routes.ts';

const NOW_MS = 1_800_000_000_000;
let key: SigningKey;
let app: FastifyInstance;
let counted: VerifyOutcome[];
let logged: string;

beforeAll(async () => {
  key = await importSigningKey(await generateSigningKeyPem());
});
beforeEach(() => {
  counted = [];
  logged = '';
});
afterEach(() => app.close());

const tokens = () => new TokensDecider({ keys: () => verifyingKeys(key), now: () => NOW_MS, policy: { guests: 'none' } });
const adas = async (documents: Record<string, 'editor' | 'viewer'> = { plan: 'editor' }, nowMs = NOW_MS) =>
  (await signToken(key, { sub: 'u1', name: 'Ada', documents }, nowMs, 3_600_000)).token;

async function ask(headers: Record<string, string>, deps: Partial<VerifyDeps> = {}) {
  app = fastify({ logger: { level: 'trace', stream: { write: (line: string) => void (logged += line) } } });
  await app.register(
    verifyRoutes({ decider: tokens(), signer: () => key, now: () => NOW_MS, count: (outcome) => counted.push(outcome), ...deps }),
  );
  return app.inject({ method: 'GET', url: '/auth/verify', headers });
}
const askUri = (uri: string, headers: Record<string, string> = {}, deps: Partial<VerifyDeps> = {}) =>
  ask({ 'x-original-uri': uri, ...headers }, deps);
const saying = (decision: Decision | Error): Decider => ({
  decide: () => (decision instanceof Error ? Promise.reject(decision) : Promise.resolve(decision)),
});

describe('allowed', () => {
  test('[V2] [V6] 200 with a grant for this document, and nothing may keep it', async () => {
    const answer = await askUri(`/yjs/plan?token=${await adas()}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('');
    expect(answer.headers['cache-control']).toBe('no-store');
    const allowed = await verifyGrant(String(answer.headers['x-weft-grant']), 'plan', verifyingKeys(key), NOW_MS);
    expect(allowed).toMatchObject({ role: 'editor', who: { id: 'u1', name: 'Ada' } });
    expect(counted).toEqual(['allowed']);
  });

  test('[V1] the token may come as bearer or as the cookie of an own page', async () => {
    const token = await adas();
    expect((await askUri('/yjs/plan', { authorization: `Bearer ${token}` })).statusCode).toBe(200);
    await app.close();
    expect((await askUri('/yjs/plan', { cookie: `weft_access=${token}`, host: 'weft.test', origin: 'https://weft.test' })).statusCode).toBe(
      200,
    );
    await app.close();
    expect((await askUri('/yjs/plan', { cookie: `weft_access=${token}`, host: 'weft.test', origin: 'https://evil.test' })).statusCode).toBe(
      401,
    );
    await app.close();
    const listed = { cookie: `weft_access=${token}`, host: 'weft.test', origin: 'https://app.test' };
    expect((await askUri('/yjs/plan', listed, { origins: ['https://app.test'] })).statusCode).toBe(200);
  });

  test('[V1] the document is the one the gateway would open, whatever the target', async () => {
    const asked: string[] = [];
    const decider: Decider = {
      decide: async ({ document }) => {
        asked.push(document);
        return { allowed: false, status: 403, reason: 'no' };
      },
    };
    const piece = fc.constantFrom('/', '//', '..', '.', '%2f', '%2e', '%252e', ';', '#', '%00', '%c0%af', 'a', 'B', '?', 'yjs');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const target = `/yjs/${pieces.join('')}`;
        asked.length = 0;
        expect((await askUri(target, {}, { decider })).statusCode).toBe(403);
        await app.close();
        const document = documentInTarget(target);
        expect(asked).toEqual('name' in document ? [document.name] : []);
      }),
      { numRuns: 50 },
    );
  });
});

describe('refused', () => {
  test('[V2] 401 without a token, with its reason', async () => {
    const answer = await askUri('/yjs/plan');
    expect([answer.statusCode, answer.headers['x-weft-reason'], answer.headers['x-weft-grant']]).toEqual([
      401,
      'a token is needed',
      undefined,
    ]);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="weft"');
    expect(counted).toEqual(['refused']);
  });

  test('[V2] 403 with a token of no right', async () => {
    const answer = await askUri(`/yjs/other?token=${await adas()}`);
    expect([answer.statusCode, answer.headers['x-weft-reason']]).toEqual([403, 'token gives no right to this document']);
  });

  test('[V4] a wrong token in the URL is not passed over for a right one in the header', async () => {
    const answer = await askUri('/yjs/plan?token=nonsense', { authorization: `Bearer ${await adas()}` });
    expect([answer.statusCode, answer.headers['x-weft-reason']]).toEqual([401, 'token is malformed']);
  });

  test('[V1] 403 when the edge does not say what it asks about', async () => {
    const answer = await ask({ authorization: `Bearer ${await adas()}` });
    expect([answer.statusCode, answer.headers['x-weft-reason']]).toEqual([403, expect.stringMatching(/X-Original-URI is missing/)]);
  });

  test.each(['/yjs/../plan', '/yjs/..%2fplan', '//yjs/plan', '/%79js/plan', '/auth/verify', 'http://weft.test/yjs/plan', '/yjs/plan%00'])(
    '[V2] 403 for %s',
    async (target) => {
      const answer = await askUri(`${target}?token=${await adas({ '*': 'editor' })}`);
      expect([answer.statusCode, answer.headers['x-weft-grant']]).toEqual([403, undefined]);
      expect(answer.headers['x-weft-reason']).not.toBe('');
    },
  );

  test('[V1] the header twice names no document', async () => {
    app = fastify();
    await app.register(verifyRoutes({ decider: tokens(), signer: () => key, now: () => NOW_MS }));
    const token = await adas({ '*': 'editor' });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const answer = await fetch(`${url}/auth/verify`, {
      headers: [
        ['X-Original-URI', '/yjs/plan'],
        ['X-Original-URI', `/yjs/other?token=${token}`],
      ],
    });
    expect([answer.status, answer.headers.get('x-weft-grant')]).toEqual([403, null]);
  });

  test('[V2] a reason in any words stays one header of ASCII', async () => {
    const answer = await askUri('/yjs/plan', {}, { decider: saying({ allowed: false, status: 403, reason: 'nön\r\nx-weft-grant: y' }) });
    expect([answer.headers['x-weft-reason'], answer.headers['x-weft-grant']]).toEqual(['n?n??x-weft-grant: y', undefined]);
  });

  test('[V6] what is refused is nowhere quoted or logged', async () => {
    const secret = (await adas()).slice(0, -8);
    const answer = await askUri(`/yjs/plan?token=${secret}`);
    expect(answer.statusCode).toBe(401);
    expect(JSON.stringify(answer.headers) + answer.body + logged).not.toContain(secret);
  });
});

describe('[V3] /collab', () => {
  test.each([
    ['no token', '/collab', {}],
    ['a token in the URL', '/collab?token=abc', {}],
    ['a stale cookie', '/collab', { cookie: 'weft_access=old' }],
  ])('is let through with %s, without a grant and without a question', async (_what, uri, headers) => {
    const answer = await askUri(uri, headers, { decider: saying(new Error('nobody should ask')) });
    expect([answer.statusCode, answer.headers['x-weft-grant']]).toEqual([200, undefined]);
  });

  test.each([
    ['too long', '/collab?token=', 'x'.repeat(8193)],
    ['not ASCII', '/collab?token=', '%C3%A4'],
  ])('is refused with 401 where the token is %s', async (_what, uri, token) => {
    expect((await askUri(uri + token)).statusCode).toBe(401);
  });

  test.each(['/collab/', '/Collab', '/%63ollab', '//collab', '/x/../collab'])('%s is not it', async (target) => {
    expect((await askUri(target)).statusCode).toBe(403);
  });
});

describe('[V5] 503 when it cannot be said', () => {
  test.each([
    ['the decider is away', new DeciderUnavailable('the backend is away')],
    ['a mistake of ours', new TypeError('oops')],
  ])('%s', async (_what, error) => {
    const answer = await askUri('/yjs/plan?token=abc', {}, { decider: saying(error) });
    expect([answer.statusCode, answer.headers['x-weft-grant'], answer.headers['retry-after']]).toEqual([503, undefined, '1']);
    expect(counted).toEqual(['unavailable']);
  });

  test('1,000 questions are under way', async () => {
    const refused: Decision = { allowed: false, status: 403, reason: 'no' };
    const held: ((decision: Decision) => void)[] = [];
    let all: () => void = () => undefined;
    const full = new Promise<void>((resolve) => {
      all = resolve;
    });
    const decider: Decider = {
      decide: () =>
        new Promise((resolve) => {
          if (held.push(resolve) === 1000) all();
        }),
    };
    app = fastify();
    await app.register(verifyRoutes({ decider, signer: () => key, now: () => NOW_MS, count: (outcome) => counted.push(outcome) }));
    const asking = async () =>
      (await app.inject({ method: 'GET', url: '/auth/verify', headers: { 'x-original-uri': '/yjs/plan?token=abc' } })).statusCode;
    const waiting = Array.from({ length: 1000 }, asking);
    await full;
    expect(await asking()).toBe(503);
    for (const release of held.splice(0)) release(refused);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([403]));
    const later = asking();
    await expect.poll(() => held.length).toBe(1);
    held[0]?.(refused);
    expect(await later).toBe(403);
    expect(counted.filter((outcome) => outcome === 'overloaded')).toHaveLength(1);
  });
});
