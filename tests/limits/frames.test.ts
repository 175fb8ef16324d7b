import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import * as Y from 'yjs';
import { Bystanders } from './bystanders.ts';
import { awarenessBytes, bytesOf, collab, raw, y } from './frames.ts';
import { House } from './house.ts';
import { Person } from './person.ts';
import { RawClient } from './raw-client.ts';
import { textOf } from './text-of.ts';

const mib = 1024 * 1024;
const document = 'frames';
let house: House;
let gateway: Gateway;
let elsewhere: Gateway;
let bystanders: Bystanders;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
  elsewhere = await house.gateway();
  bystanders = await Bystanders.in(gateway.port, document, { readerPort: elsewhere.port });
});
afterAll(() => house.stop());

const good = updateOf('words');
const varUintOver2to53 = raw(...Array<number>(9).fill(0xff), 0x01);
const text = 'a text frame';

type Bad = readonly [what: string, frame: Uint8Array | string, reason: RegExp];

/** Not readable as a frame at all. */
const badCollab: Bad[] = [
  ['an empty frame', new Uint8Array(0), /it ends where an address is expected/],
  ['a text frame', text, /a text frame: binary frames are expected/],
  ['a varint above 2^53', bytesOf(document, varUintOver2to53), /a message type is above 2\^53/],
  ['a varint that never ends', bytesOf(document, raw(0x80, 0x80)), /it ends where a message type is expected/],
  ['a frame that ends after its address', bytesOf(document), /it ends where a message type is expected/],
  [
    'an update longer than its frame',
    bytesOf(document, 0, 2, raw(200), raw(1, 2)),
    /an update announces .* bytes, \d+ follow|it ends where/,
  ],
  ['an update cut off by one byte', collab.update(document, good).slice(0, -1), /an update announces \d+ bytes, \d+ follow/],
  ['bytes after the update', bytesOf(document, 0, 2, good, raw(0)), /1 bytes follow after its end/],
  ['bytes after CLOSE', bytesOf(document, 7, raw(1, 2, 3)), /3 bytes follow after its end/],
  ['an unknown type', bytesOf(document, 42), /message type 42; a client sends 0 to 7/],
  ['a SyncStatus, which only servers send', bytesOf(document, 8, 1), /message type 8; a client sends 0 to 7/],
  ['an unknown sync subtype', bytesOf(document, 0, 3, good), /sync subtype 3; expected 0 \(Step1\), 1 \(Step2\) or 2 \(Update\)/],
  ['an unknown auth subtype', bytesOf(document, 2, 2, 'read-write'), /auth subtype 2; a client sends 0 \(token\)/],
  ['awareness cut off', bytesOf(document, 1, bytesOf(2, 7, 1, '{}')), /it ends where an awareness client id is expected/],
  ['awareness that is not JSON', bytesOf(document, 1, bytesOf(1, 7, 1, '{')), /an awareness state is not JSON/],
  ['awareness with bytes after it', bytesOf(document, 1, bytesOf(1, 7, 1, '{}', raw(9))), /1 bytes follow after its end/],
  [
    'awareness of 10,000 ids',
    bytesOf(document, 1, manyPresences(10_000)),
    /10000 awareness entries in one frame; at most 5000 are allowed/,
  ],
];

const badY: Bad[] = [
  ['an empty frame', new Uint8Array(0), /it ends where a message type is expected/],
  ['a text frame', text, /a text frame: binary frames are expected/],
  ['a varint above 2^53', bytesOf(varUintOver2to53), /a message type is above 2\^53/],
  ['an update cut off by one byte', y.update(good).slice(0, -1), /an update announces \d+ bytes, \d+ follow/],
  ['bytes after the update', bytesOf(0, 2, good, raw(0)), /1 bytes follow after its end/],
  ['an unknown type', bytesOf(42), /message type 42; a client sends 0 \(Sync\), 1 \(Awareness\) or 3/],
  ['Auth, which only servers send here', bytesOf(2, 0, 'x'), /message type 2; a client sends/],
  ['an unknown sync subtype', bytesOf(0, 3, good), /sync subtype 3; expected 0/],
  ['awareness of 10,000 ids', bytesOf(1, manyPresences(10_000)), /10000 awareness entries in one frame; at most 5000/],
];

/** Readable frames around updates and state vectors that are not. */
const badUpdates: [what: string, update: Uint8Array, reason: RegExp][] = [
  ['an empty one', new Uint8Array(0), /update of 0 bytes: /],
  ['one cut off', good.slice(0, -2), /update of \d+ bytes: /],
  ['one with trailing garbage', Uint8Array.of(...good, 1, 2, 3), /update of \d+ bytes: .*3 bytes/],
  ['noise', Uint8Array.from({ length: 64 }, (_, i) => (i * 89 + 7) % 251), /update of 64 bytes: /],
  ['one that announces 2^40 structs', bytesOf(1, 2 ** 40, 1, 0), /update of \d+ bytes: /],
];

describe('[L3] a frame that cannot be read ends the connection that sent it, and nobody is harmed', () => {
  beforeEach(() => bystanders.goOn());

  test.each(badCollab)('collab: %s closes with 4401', async (_, frame, reason) => {
    const offender = await Person.collab(gateway.port, document);
    offender.client.send(frame);
    expect(await offender.client.isClosed()).toMatchObject({ code: 4401, reason: expect.stringMatching(reason) });
    await bystanders.goOn();
    await bystanders.findNothingElseInTheLog(house);
  });

  test.each(badY)('y: %s closes with 4400', async (_, frame, reason) => {
    const offender = await Person.y(gateway.port, document);
    offender.client.send(frame);
    expect(await offender.client.isClosed()).toMatchObject({ code: 4400, reason: expect.stringMatching(reason) });
    await bystanders.goOn();
    await bystanders.findNothingElseInTheLog(house);
  });
});

describe('[L4] an update that cannot be read is answered with 0, ends the connection, and reaches nobody', () => {
  test.each(badUpdates)('collab: %s', async (_, update, reason) => {
    for (const frame of [collab.update(document, update), collab.step2(document, update), collab.syncReply(document, update)]) {
      const offender = await Person.collab(gateway.port, document);
      offender.client.send(frame);
      expect(await offender.client.isClosed()).toMatchObject({ code: 4400, reason: expect.stringMatching(reason) });
      expect(offender.client.statuses()).toEqual([0]);
    }
    await bystanders.goOn();
    await bystanders.findNothingElseInTheLog(house);
  });

  test.each(badUpdates)('y: %s', async (_, update, reason) => {
    for (const frame of [y.update(update), y.step2(update)]) {
      const offender = await Person.y(gateway.port, document);
      offender.client.send(frame);
      expect(await offender.client.isClosed()).toMatchObject({ code: 4400, reason: expect.stringMatching(reason) });
    }
    await bystanders.goOn();
    await bystanders.findNothingElseInTheLog(house);
  });

  test.each([
    ['an empty one', new Uint8Array(0)],
    ['one cut off', Uint8Array.of(2, 1)],
    ['one with trailing garbage', Uint8Array.of(0, 9)],
  ])('a state vector: %s closes with 4400', async (_, stateVector) => {
    const one = await Person.collab(gateway.port, document);
    one.client.send(collab.step1(document, stateVector));
    expect(await one.client.isClosed()).toMatchObject({ code: 4400, reason: expect.stringMatching(/^state vector of \d bytes: /) });
    const other = await Person.y(gateway.port, document);
    other.client.send(y.step1(stateVector));
    expect(await other.client.isClosed()).toMatchObject({ code: 4400, reason: expect.stringMatching(/^state vector of \d bytes: /) });
    await bystanders.goOn();
  });
});

describe('[L17] a state vector larger than a message', () => {
  test('is answered with the whole document, and nobody is harmed, also later', async () => {
    const clients = Array.from({ length: 200_000 }, (_, i) => bytesOf(1_000_000 + i, 1));
    const stateVector = new Uint8Array(Buffer.concat([bytesOf(clients.length), ...clients]));
    await bystanders.goOn();
    const person = await Person.collab(gateway.port, document);
    person.client.send(collab.step1(document, stateVector));
    const answer = await person.client.heard('step2', { count: 2 });
    expect(textOf([answer.update, ...person.client.all('update').map(({ update }) => update)])).toContain('[there 0]');
    const other = await Person.y(elsewhere.port, document);
    other.client.send(y.step1(stateVector));
    await other.client.heard('step2', { count: 2 });
    // Past the time in which an unanswered question is asked again.
    await pause(3_500);
    await bystanders.goOn();
    expect(person.client.closed).toBeUndefined();
    for (const { client } of [person, other]) await client.close();
  });
});

describe('[L5] a frame has at most 8 MiB', () => {
  test('one of exactly 8 MiB passes, travels through the log in pieces, and arrives intact on both gateways', async () => {
    const name = 'frames-large';
    const others = await Bystanders.in(gateway.port, name, { readerPort: elsewhere.port });
    const writer = await Person.collab(gateway.port, name);
    const { frame, words } = frameOf(8 * mib, (update) => collab.update(name, update));
    writer.client.send(frame);
    await writer.client.heard('status', { address: name });
    expect(writer.client.statuses()).toEqual([1]);
    await others.goOn(words);
    expect(textOf(await house.logged(name))).toContain(words);
    const late = await Person.y(elsewhere.port, name);
    expect(late.text()).toContain(words);
    for (const person of [writer, late]) await person.client.close();
    await others.leave();
  }, 60_000);

  test('one of 8 MiB + 1 is refused with 1009 and a sentence, in both dialects', async () => {
    const name = 'frames-too-large';
    const others = await Bystanders.in(gateway.port, name);
    const one = await Person.collab(gateway.port, name);
    one.client.send(frameOf(8 * mib + 1, (update) => collab.update(name, update)).frame);
    expect(await one.client.isClosed()).toEqual({ code: 1009, reason: 'a frame of 8388609 bytes: at most 8388608 are taken' });
    const other = await Person.y(gateway.port, name);
    other.client.send(frameOf(8 * mib + 1, (update) => y.update(update)).frame);
    expect(await other.client.isClosed()).toEqual({ code: 1009, reason: 'a frame of 8388609 bytes: at most 8388608 are taken' });
    await others.goOn();
    await others.findNothingElseInTheLog(house);
    await others.leave();
  }, 60_000);

  test('one of more than 16 MiB is cut off while it arrives', async () => {
    const offender = await RawClient.collab(gateway.port);
    offender.send(new Uint8Array(16 * mib + 1));
    expect([1006, 1009]).toContain((await offender.isClosed()).code);
    await bystanders.goOn();
  }, 60_000);
});

function updateOf(words: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('t').insert(0, words);
  return Y.encodeStateAsUpdate(doc);
}

/** A frame of exactly so many bytes, and the words in it. */
function frameOf(bytes: number, encode: (update: Uint8Array) => Uint8Array): { frame: Uint8Array; words: string } {
  for (let length = bytes - 200; length <= bytes; length++) {
    const doc = new Y.Doc();
    doc.clientID = 4_000_000_000;
    const words = 'w'.repeat(length);
    doc.getText('t').insert(0, words);
    const frame = encode(Y.encodeStateAsUpdate(doc));
    if (frame.byteLength < bytes - 1) length += bytes - frame.byteLength - 1;
    if (frame.byteLength === bytes) return { frame, words };
  }
  throw new Error(`no frame of ${bytes} bytes`);
}

function manyPresences(count: number): Uint8Array {
  return awarenessBytes(...Array.from({ length: count }, (_, i) => ({ clientId: i + 1, clock: 1, state: {} })));
}
