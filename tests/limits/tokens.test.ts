import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import { Bystanders } from './bystanders.ts';
import { collab } from './frames.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { RawClient, UpgradeRefused } from './raw-client.ts';
import { Signer } from './signer.ts';

let house: House;
let gateway: Gateway;
let bystanders: Bystanders;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
  bystanders = await Bystanders.in(gateway.port, 'tokens', { token: house.signer.token() });
});
afterAll(() => house.stop());

const forged = (token: string) => {
  const [head, , signature] = token.split('.');
  const [, payload] = house.signer.unsigned({ sub: 'mallory', documents: { '*': 'owner' } }).split('.');
  return `${head}.${payload}.${signature}`;
};

const bad: [what: string, token: () => string, status: number, sentence: string][] = [
  ['that is no token', () => 'letmein', 401, 'token is malformed'],
  ['that has expired', () => house.signer.token({ expiresInS: -60 }), 401, 'token expired'],
  ['of a key nobody knows', () => new Signer('foreign').token(), 401, 'token signed by an unknown key'],
  ['of another key under the name of ours', () => new Signer('house').token(), 401, 'token signature is wrong'],
  ['with alg none', () => house.signer.unsigned(), 401, 'token is not signed with EdDSA'],
  ['with an algorithm of its own choice', () => house.signer.token({}, { alg: 'HS256' }), 401, 'token is not signed with EdDSA'],
  ['whose content was exchanged', () => forged(house.signer.token()), 401, 'token signature is wrong'],
  ['that is too long', () => 'x'.repeat(8193), 401, 'token is too long'],
  [
    'for other documents',
    () => house.signer.token({ documents: { 'tokens-other': 'owner' } }),
    403,
    'token gives no right to this document',
  ],
];

describe('[L11] a token', () => {
  test.each(bad)('%s is refused in both dialects with a sentence', async (_, token, status, sentence) => {
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth('tokens', token()), collab.step1('tokens'), collab.awareness('tokens', { clientId: 666, clock: 1, state: {} }));
    expect(await client.heard('denied')).toMatchObject({ address: 'tokens', text: sentence });
    await expect(RawClient.y(gateway.port, 'tokens', token())).rejects.toMatchObject({ status, sentence });
    await bystanders.goOn();
    expect(client.frames).toHaveLength(1);
    expect(bystanders.writer.client.all('awareness').flatMap(({ entries }) => entries)).toEqual([]);
    await client.close();
  });

  test('that is good opens the document in both dialects', async () => {
    const one = await Person.collab(gateway.port, 'tokens-good', { token: house.signer.token() });
    const other = await Person.y(gateway.port, 'tokens-good', house.signer.token());
    await one.types('hello');
    await other.sees('hello');
    await one.client.close();
    await other.client.close();
  });
});

describe('[L12] while auth is away', () => {
  test('collab is closed with 1013, y refused with 503; who is in goes on, and all is well when auth is back', async () => {
    await house.stopAuth();
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth('tokens-away', house.signer.token()));
    expect(await client.isClosed()).toEqual({ code: 1013, reason: 'rights cannot be checked at the moment: try again' });
    const refused = await RawClient.y(gateway.port, 'tokens-away', house.signer.token()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UpgradeRefused);
    expect(refused).toMatchObject({ status: 503, sentence: 'rights cannot be checked at the moment: try again' });
    await bystanders.goOn();
    await house.startAuth();
    const back = await Person.collab(gateway.port, 'tokens-away', { token: house.signer.token() });
    await back.types('back');
    await back.client.close();
  });
});
