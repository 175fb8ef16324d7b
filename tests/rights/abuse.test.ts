import { type Cache, RedisCache } from '@weft/cache';
import { createLogger } from '@weft/telemetry';
import { startRedis } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bystanders } from '../limits/bystanders.ts';
import { collab, y } from '../limits/frames.ts';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { RawClient, UpgradeRefused } from '../limits/raw-client.ts';
import { until } from '../limits/until.ts';

let house: House;
let redis: Cache;
const logger = createLogger({ service: 'test', level: 'silent' });
beforeAll(async () => {
  house = await House.start();
  const { url } = await startRedis();
  redis = new RedisCache({ url, logger, keyPrefix: 'abuse-test:' });
  await until(() => redis.available, 'Redis is there');
});
afterAll(async () => {
  await redis.close();
  await house.stop();
});

/** Behind a proxy of ours, for somebody at this address. */
const from = (address: string) => ({ 'x-forwarded-for': address });
const behindProxy = { WEFT_TRUSTED_PROXIES: '127.0.0.0/8' };

describe('[GW30] what one connection may send', () => {
  test.each(['frames', 'bytes'] as const)('too many %s: 4429, y 1013, and nobody else is harmed', async (what) => {
    const gateway = await house.gateway({
      WEFT_CONNECTION_FRAMES_PER_SECOND: '10',
      WEFT_CONNECTION_BYTES_PER_SECOND: '1KiB',
      WEFT_FRAME_BYTES_MAX: '8KiB',
    });
    const others = await Bystanders.in(gateway.port, `flood-${what}`);
    const flood = { frames: 300, bytes: 60 }[what];
    const payload = { frames: '', bytes: 'x'.repeat(1_000) }[what];
    const sentence = { frames: 'more than 10 frames a second for 20 s', bytes: 'more than 1024 bytes a second for 20 s' }[what];

    const one = await Person.collab(gateway.port, 'flood');
    for (let i = 0; i < flood; i++) one.client.send(collab.stateless('flood', payload));
    expect(await one.client.isClosed()).toEqual({ code: 4429, reason: sentence });

    const other = await Person.y(gateway.port, 'flood');
    const pad = other.edit('x'.repeat(1_000));
    for (let i = 0; i < flood; i++) other.client.send(what === 'frames' ? y.queryAwareness() : y.update(pad));
    expect(await other.client.isClosed()).toEqual({ code: 1013, reason: sentence });
    await others.goOn();
    await others.leave();
  });

  test('too many documents opened: 4429', async () => {
    const gateway = await house.gateway({ WEFT_CONNECTION_DOCUMENTS_PER_MINUTE: '20' });
    const client = await RawClient.collab(gateway.port);
    for (let i = 0; i < 21; i++) client.send(collab.auth('doors', ''), collab.close('doors'));
    expect(await client.isClosed()).toEqual({ code: 4429, reason: 'more than 20 documents opened a minute' });
  });

  test('an honest editor meets no limit: 50 documents, a paste of 10 MB, 60 edits a second', async () => {
    const gateway = await house.gateway();
    const client = await RawClient.collab(gateway.port);
    const names = Array.from({ length: 50 }, (_, i) => `honest-${i}`);
    const people = await Promise.all(names.map((name) => Person.collab(gateway.port, name, { client })));
    const [person] = people as [Person];
    // Frames are limited to 8 MiB by default: an editor pastes such a text in two pieces.
    await person.types('x'.repeat(5_000_000));
    await person.types('y'.repeat(5_000_000));
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 60; i++) client.send(collab.update('honest-1', people[1]!.edit('z')));
      await until(() => client.statuses('honest-1').length === (second + 1) * 60, 'all are answered');
    }
    expect(client.statuses('honest-1').every((taken) => taken === 1)).toBe(true);
    expect(client.closed).toBeUndefined();
    await client.close();
  });
});

describe('[GW31] connections', () => {
  test('of an address: 429 with Retry-After in both dialects, over all gateways; of another they go on', async () => {
    const env = { ...behindProxy, WEFT_ADDRESS_CONNECTIONS: '6' };
    const gateways = [await house.gateway(env, { cache: redis }), await house.gateway(env, { cache: redis })];
    const clients: RawClient[] = [];
    for (let i = 0; i < 6; i++) {
      const { port } = gateways[i % 2]!;
      clients.push(
        await (i < 3 ? RawClient.collab(port, undefined, from('198.51.100.1')) : RawClient.y(port, 'doors', '', from('198.51.100.1'))),
      );
    }
    for (const { port } of gateways)
      for (const refused of [
        RawClient.collab(port, undefined, from('198.51.100.1')),
        RawClient.y(port, 'doors', '', from('198.51.100.1')),
      ]) {
        const error = await refused.catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(UpgradeRefused);
        expect(error).toMatchObject({ status: 429, sentence: 'more than 6 connections of one address' });
        expect(Number((error as UpgradeRefused).retryAfter)).toBeGreaterThan(0);
      }
    clients.push(await RawClient.collab(gateways[0]!.port, undefined, from('198.51.100.2')));
    // Not behind the proxy this is the machine itself; and what a client says of itself to one that trusts nobody counts nothing.
    clients.push(await RawClient.collab(gateways[0]!.port));
    await Promise.all(clients.map((client) => client.close()));
  });

  test('of a user: 4429 on /collab, 429 for y; of another they go on, and guests are nobody', async () => {
    const gateway = await house.gateway({ WEFT_USER_CONNECTIONS: '3' }, { cache: redis });
    const token = house.signer.token({ sub: 'many' });
    const people: Person[] = [];
    for (let i = 0; i < 3; i++) people.push(await Person.collab(gateway.port, 'many', { token }));
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth('many', token), collab.step1('many'));
    expect(await client.isClosed()).toEqual({ code: 4429, reason: 'more than 3 connections of one user' });
    await expect(RawClient.y(gateway.port, 'many', token)).rejects.toMatchObject({
      status: 429,
      sentence: 'more than 3 connections of one user',
    });
    people.push(await Person.collab(gateway.port, 'many', { token: house.signer.token({ sub: 'another' }) }));
    for (let i = 0; i < 5; i++) people.push(await Person.y(gateway.port, 'many'));
    await people[0]!.types('still here');
    await Promise.all(people.map((person) => person.client.close()));
  });
});

test('[GW32] an address that sends what nobody can read is banned, over all gateways, and no other', async () => {
  const env = { ...behindProxy, WEFT_BAN_AFTER: '3', WEFT_BAN: '2s' };
  const [one, other] = [await house.gateway(env, { cache: redis }), await house.gateway(env, { cache: redis })];
  const bans = house.count('banned');
  for (let i = 0; i < 3; i++) {
    const client = await RawClient.collab(one.port, undefined, from('203.0.113.5'));
    client.send(Uint8Array.of(255, 255, 255));
    expect(await client.isClosed()).toMatchObject({ code: 4401 });
  }
  await until(() => house.count('banned') > bans, 'it is banned');
  for (const { port } of [one, other])
    await expect(RawClient.collab(port, undefined, from('203.0.113.5'))).rejects.toMatchObject({
      status: 429,
      sentence: 'too much came from this address that no client should send',
      retryAfter: expect.stringMatching(/^[12]$/),
    });
  await (await RawClient.collab(one.port, undefined, from('203.0.113.6'))).close();
  await until(
    () =>
      RawClient.y(other.port, 'doors', '', from('203.0.113.5')).then(
        (client) => client.close().then(() => true),
        () => false,
      ),
    'the ban is over',
  );
});

test('[GW33] who is not our proxy says nothing of addresses', async () => {
  const gateway = await house.gateway({ WEFT_TRUSTED_PROXIES: '10.0.0.0/8', WEFT_ADDRESS_CONNECTIONS: '1' });
  const clients = [];
  for (let i = 0; i < 5; i++) clients.push(await RawClient.collab(gateway.port, undefined, from('198.51.100.1')));
  await Promise.all(clients.map((client) => client.close()));
});

test('[GW34] the cache away: everybody may, and it is said once', async () => {
  const away = new RedisCache({ url: 'redis://127.0.0.1:1', logger });
  const gateway = await house.gateway({ ...behindProxy, WEFT_ADDRESS_CONNECTIONS: '1', WEFT_USER_CONNECTIONS: '1' }, { cache: away });
  const before = house.count('limits-unavailable');
  const token = house.signer.token({ sub: 'lucky' });
  const clients = [];
  for (let i = 0; i < 5; i++) clients.push(await RawClient.y(gateway.port, 'doors', token, from('198.51.100.9')));
  expect(house.count('limits-unavailable')).toBe(before + 1);
  await Promise.all(clients.map((client) => client.close()));
  await away.close();
});
