import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import { Bystanders } from './bystanders.ts';
import { bytesOf, collab, raw } from './frames.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { RawClient, UpgradeRefused } from './raw-client.ts';

let house: House;
let gateway: Gateway;
let bystanders: Bystanders;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
  bystanders = await Bystanders.in(gateway.port, 'names');
});
afterAll(() => house.stop());

const bad: [string, string, RegExp][] = [
  ['empty', '', /name is empty; give 1 to 255 bytes/],
  ['blank', ' \t\u00a0', /name is blank; give at least one character/],
  ['256 bytes', 'n'.repeat(256), /name takes 256 bytes of UTF-8; at most 255 are allowed/],
  ['256 bytes in 128 characters', 'ä'.repeat(128), /name takes 256 bytes of UTF-8; at most 255 are allowed/],
  ['257 bytes that end in an emoji', `${'n'.repeat(253)}😀`, /name takes 257 bytes of UTF-8; at most 255 are allowed/],
];

const good: [string, string][] = [
  ['one byte', 'n'],
  ['255 bytes', 'n'.repeat(255)],
  ['255 bytes that end in a multi-byte character', `${'ä'.repeat(127)}n`],
  ['255 bytes that end in an emoji', `${'n'.repeat(251)}😀`],
  ['slashes', 'a/b//c/'],
  ['what looks percent-encoded', 'a%2Fb'],
  ['dots and a semicolon', '..;/..;/etc/passwd'],
  ['three dots', '...'],
  ['a query and a fragment', 'a?token=x#y'],
  ['other scripts', '文書/наброски/مستند'],
  ['NATS wildcards', 'a.*.>'],
  ['a name objects have', '__proto__'],
];

describe('[L1] a document name that cannot be', () => {
  test.each(bad)('collab: %s is PermissionDenied with a sentence, and the connection goes on', async (_, name, sentence) => {
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth(name));
    const denied = await client.heard('denied');
    expect(denied.address).toBe(name);
    expect(denied.text).toMatch(sentence);
    const person = await Person.collab(gateway.port, 'names-other', { client });
    await person.types('fine');
    await bystanders.goOn();
    await client.close();
  });

  test.each(bad.filter(([, name]) => name !== ' \t\u00a0'))('y: %s is refused with 400 at the upgrade', async (_, name, sentence) => {
    const error = await RawClient.y(gateway.port, encodeURIComponent(name)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UpgradeRefused);
    expect(error).toMatchObject({ status: 400, sentence: expect.stringMatching(sentence) });
    await bystanders.goOn();
  });

  test.each([
    ['blank', '%20%09', /blank/],
    ['a NUL', 'a%00b', /NUL/],
    ['invalid UTF-8', 'a%ff', /not percent-encoded UTF-8/],
    ['half a surrogate pair', '%ED%A0%80', /not percent-encoded UTF-8/],
    ['half a percent sign', 'a%2', /not percent-encoded UTF-8/],
  ])('y: %s is refused with 400 at the upgrade', async (_, path, sentence) => {
    await expect(RawClient.y(gateway.port, path)).rejects.toMatchObject({ status: 400, sentence: expect.stringMatching(sentence) });
    await bystanders.goOn();
  });

  test.each([
    ['not UTF-8', raw(3, 0x61, 0xff, 0x62)],
    ['half a surrogate pair', raw(3, 0xed, 0xa0, 0x80)],
    ['longer than the frame', raw(9, 0x61)],
  ])('collab: an address that is %s closes with 4401 and says so', async (_, address) => {
    const client = await RawClient.collab(gateway.port);
    client.send(bytesOf(address, 2, 0, ''));
    expect(await client.isClosed()).toMatchObject({
      code: 4401,
      reason: expect.stringMatching(/address (is not UTF-8|announces 9 bytes, \d+ follow)/),
    });
    await bystanders.goOn();
  });

  test('collab: what follows a NUL is a session id, and only the document counts', async () => {
    const client = await RawClient.collab(gateway.port);
    client.send(collab.auth('names\0tab-1'), collab.step1('names\0tab-1'));
    await client.heard('step2', { address: 'names\0tab-1' });
    client.send(collab.auth('\0tab-1'));
    expect((await client.heard('denied')).text).toMatch(/empty/);
    await client.close();
    await bystanders.goOn();
  });
});

describe('[L2] a document name that can be', () => {
  test.each(good)('%s: both dialects meet in the same document', async (_, name) => {
    const one = await Person.collab(gateway.port, name);
    const other = await Person.y(gateway.port, name);
    await one.types('from collab');
    await other.sees('from collab');
    await other.types('from y');
    await one.sees('from y');
    expect((await house.logged(name)).length).toBeGreaterThan(0);
    await one.client.close();
    await other.client.close();
  });

  test('dots: collab has them; in a URL they mean the folder above, so y never gets there', async () => {
    const person = await Person.collab(gateway.port, '../../etc/passwd');
    await person.types('x');
    await expect(RawClient.y(gateway.port, '..')).rejects.toMatchObject({ status: 404 });
    for (const path of ['..%2F..%2Fetc%2Fpasswd', '%2e%2e%2fa', 'a%2F.%2Fb'])
      await expect(RawClient.y(gateway.port, path)).rejects.toMatchObject({
        status: 400,
        sentence: expect.stringMatching(/a part "\." or "\.\."/),
      });
    await person.client.close();
  });

  test('names that differ only in their encoding are different documents', async () => {
    const plain = await Person.collab(gateway.port, 'dir/name');
    await plain.types('plain');
    const encoded = await Person.y(gateway.port, 'dir%2Fname');
    expect(encoded.text()).toBe('');
    const decoded = await RawClient.y(gateway.port, 'dir/name');
    await decoded.close();
    await plain.client.close();
    await encoded.client.close();
  });
});
