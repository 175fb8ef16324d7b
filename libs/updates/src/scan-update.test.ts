import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { MalformedUpdate } from './malformed-update.ts';
import { Random, randomHistory } from './random-document.test-data.ts';
import { type ClockRange, EMPTY_UPDATE, isEmptyUpdate, scanUpdate } from './scan-update.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** The ranges as Yjs' own decoder sees them. */
function rangesByYjs(update: Uint8Array): ClockRange[] {
  const ranges: { client: number; from: number; to: number }[] = [];
  for (const struct of Y.decodeUpdate(update).structs) {
    if (struct instanceof Y.Skip) continue;
    const { client, clock } = struct.id;
    const last = ranges.at(-1);
    if (last?.client === client && last.to === clock) last.to += struct.length;
    else ranges.push({ client, from: clock, to: clock + struct.length });
  }
  return ranges;
}

/** Changes, cuts or adds a few bytes. */
function mutate(update: Uint8Array, random: Random): Uint8Array {
  let bytes = [...update];
  for (let i = 0; i <= random.below(3); i++) {
    const at = random.below(bytes.length);
    switch (random.below(6)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes.splice(at, 0, random.below(256));
        break;
      case 2:
        bytes.splice(at, 1);
        break;
      case 3:
        bytes[at] = random.below(256);
        break;
      case 4:
        bytes[at] = (bytes[at]! + random.pick([1, -1, 128])) & 255;
        break;
      case 5:
        bytes[at] = bytes[at]! ^ (1 << random.below(8));
        break;
    }
  }
  return Uint8Array.from(bytes);
}

function accepts(update: Uint8Array): boolean {
  try {
    scanUpdate(update);
    return true;
  } catch (error) {
    if (error instanceof MalformedUpdate) return false;
    throw error;
  }
}

/** What a peer and a server do with an update: apply it, encode the document again, apply that, merge, diff. */
function useAlone(update: Uint8Array, others: readonly Uint8Array[]): void {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  const again = new Y.Doc();
  Y.applyUpdate(again, Y.encodeStateAsUpdate(doc));
  Y.applyUpdateV2(again, Y.encodeStateAsUpdateV2(doc));
  Y.mergeUpdates([...others, update]);
  Y.diffUpdate(update, Y.encodeStateVector(again));
}

/** The same among the rest of its history, before and after it. */
function useWith(update: Uint8Array, others: readonly Uint8Array[]): void {
  const before = new Y.Doc();
  for (const one of [update, ...others]) Y.applyUpdate(before, one);
  const after = new Y.Doc();
  for (const one of [...others, update]) Y.applyUpdate(after, one);
  Y.applyUpdate(before, Y.encodeStateAsUpdate(after));
  Y.applyUpdate(new Y.Doc(), Y.mergeUpdates([update, ...others]));
}

/** Ids, lengths, references and deletes: what an update claims about others' structs. Content is left out. */
function skeletonOf(update: Uint8Array): string {
  const { structs, ds } = Y.decodeUpdate(update);
  const refs = structs.map((struct) =>
    struct instanceof Y.Item
      ? [struct.id, struct.length, struct.origin, struct.rightOrigin, struct.parent, struct.parentSub]
      : [struct.id, struct.length],
  );
  return JSON.stringify([refs, [...ds.clients]]);
}

test('[US1] gives the ranges Yjs decodes', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { updates, whole } = randomHistory(seed);
      const holey = Y.mergeUpdates(updates.filter((_, i) => i % 3 !== seed % 3));
      for (const update of [...updates, whole, holey]) {
        const scan = scanUpdate(update);
        expect(scan.ranges).toEqual(rangesByYjs(update));
        expect(scan.deletes).toBe(Y.decodeUpdate(update).ds.clients.size > 0);
      }
    }),
    { numRuns: 60 },
  );
});

test('[US2] what it accepts, however mangled, every Yjs applies, merges and encodes without throwing', () => {
  // Yjs complains about subdocuments applied twice.
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = new Random(seed);
      const { updates, whole } = randomHistory(seed % 500, 30);
      for (let i = 0; i < 40; i++) {
        const original = random.chance(70) ? random.pick(updates) : whole;
        const others = original === whole ? [] : updates.filter((update) => update !== original);
        const mutated = mutate(original, random);
        if (!accepts(mutated)) continue;
        useAlone(mutated, others);
        // One that lies about other structs (another's id, a list for a map) shows it only when applied: that is for compaction's quarantine.
        if (skeletonOf(mutated) === skeletonOf(original)) useWith(mutated, others);
      }
    }),
    { numRuns: 50 },
  );
  complaints.mockRestore();
});

/** An update of one client (7) with one struct, and a delete set. */
function updateWith(struct: (encoder: encoding.Encoder) => void, deletes: readonly number[] = [0]): Uint8Array {
  return encoding.encode((encoder) => {
    for (const number of [1, 1, 7, 3]) encoding.writeVarUint(encoder, number);
    struct(encoder);
    for (const number of deletes) encoding.writeVarUint(encoder, number);
  });
}

/** Info byte, parent `text` by name, then what `content` writes. */
function itemWith(ref: number, content: (encoder: encoding.Encoder) => void): Uint8Array {
  return updateWith((encoder) => {
    encoding.writeUint8(encoder, ref);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, 'text');
    content(encoder);
  });
}

const bytes =
  (...values: number[]) =>
  (encoder: encoding.Encoder) =>
    encoding.writeUint8Array(encoder, Uint8Array.from(values));
const text = (value: string) => (encoder: encoding.Encoder) => encoding.writeVarString(encoder, value);
const hello = itemWith(4, text('hello'));

test('[US3] the empty update is empty, and the helper update below is one', () => {
  expect(scanUpdate(EMPTY_UPDATE)).toEqual({ ranges: [], deletes: false });
  expect(isEmptyUpdate(EMPTY_UPDATE)).toBe(true);
  expect(isEmptyUpdate(hello)).toBe(false);
  expect(scanUpdate(hello)).toEqual({ ranges: [{ client: 7, from: 3, to: 8 }], deletes: false });
});

test('[US4] every prefix of an update is refused, and so is anything after it', () => {
  for (const update of [hello, randomHistory(4).whole]) {
    for (let i = 0; i < update.length; i++) expect(() => scanUpdate(update.subarray(0, i))).toThrow(MalformedUpdate);
    expect(() => scanUpdate(Uint8Array.from([...update, 0]))).toThrow(/1 bytes after the end/);
  }
});

describe('[US5] refuses what a Yjs client throws on', () => {
  const nested = (depth: number) => (encoder: encoding.Encoder) => {
    encoding.writeVarUint(encoder, 1);
    for (let i = 0; i < depth; i++) bytes(117, 1)(encoder);
    bytes(126)(encoder);
  };
  const refused: Record<string, Uint8Array> = {
    'a number above 2^53': Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0),
    'a number that never ends': new Uint8Array(200).fill(0x80),
    'a content ref of 11': itemWith(11, bytes(1)),
    'a type ref of 7': itemWith(7, bytes(7)),
    'a value tag of 115': itemWith(8, bytes(1, 115)),
    'invalid UTF-8: a lone continuation byte': itemWith(4, bytes(2, 0x61, 0x80)),
    'invalid UTF-8: an overlong form': itemWith(4, bytes(2, 0xc0, 0xaf)),
    'invalid UTF-8: a surrogate': itemWith(4, bytes(3, 0xed, 0xa0, 0x80)),
    'invalid UTF-8: above U+10FFFF': itemWith(4, bytes(4, 0xf4, 0x90, 0x80, 0x80)),
    'invalid UTF-8: cut short': itemWith(4, bytes(3, 0xf0, 0x9f, 0x98)),
    'invalid UTF-8 in a key of a value': itemWith(8, bytes(1, 118, 1, 1, 0xff, 126)),
    'bad JSON in an embed': itemWith(5, text('{')),
    'bad JSON in a format': itemWith(6, bytes(1, 0x62, 3, 0x22, 0x22, 0x22)),
    'bad JSON in a list': itemWith(2, bytes(1, 1, 0x5d)),
    'the word undefined in an embed': itemWith(5, text('undefined')),
    'invalid UTF-8 in JSON': itemWith(5, bytes(3, 0x22, 0xff, 0x22)),
    'a subdocument without options': itemWith(9, bytes(1, 0x61, 127)),
    'an origin of its own client that is not before it': updateWith(bytes(0x84, 7, 3, 1, 0x61)),
    'a right origin of its own client that is not before it': updateWith(bytes(0x44, 7, 9, 1, 0x61)),
    'a parent of its own client that is not before it': updateWith(bytes(4, 0, 7, 3, 1, 0x61)),
    'an empty range that has to wait': updateWith(bytes(0, 1), [1, 9, 1, 5, 0]),
    'values nested deeper than the stack': itemWith(8, nested(20_000)),
    'more structs than an array has places': Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0x7f, 7, 0, 0),
  };
  const applies = (update: Uint8Array) => {
    const doc = new Y.Doc();
    // What the references are to, when they are to something that is there.
    Y.applyUpdate(doc, Uint8Array.from([1, 1, 7, 0, 0, 3, 0]));
    Y.applyUpdate(doc, update);
    Y.encodeStateAsUpdate(doc);
  };
  for (const [what, update] of Object.entries(refused)) {
    test(what, () => {
      expect(() => applies(update)).toThrow();
      expect(() => scanUpdate(update)).toThrow(MalformedUpdate);
    });
  }
});

describe('[US6] refuses what Yjs takes and is broken by later', () => {
  const refused: Record<string, Uint8Array> = {
    'a text of length 0': itemWith(4, text('')),
    'a list of length 0': itemWith(8, bytes(0)),
    'a GC of length 0': updateWith(bytes(0, 0)),
    'deleted content of length 0': itemWith(1, bytes(0)),
    'clients that do not descend': Uint8Array.of(2, 1, 1, 0, 0, 1, 1, 2, 0, 0, 1, 0),
    'a client twice': Uint8Array.of(2, 1, 2, 0, 0, 1, 1, 2, 1, 0, 1, 0),
    'a Skip with flags': updateWith(bytes(0x4a, 1)),
    'a clock above 2^51': updateWith((encoder) => {
      encoding.writeUint8(encoder, 0);
      encoding.writeVarUint(encoder, 2 ** 51);
    }),
    'deleted ranges that do not ascend': Uint8Array.of(0, 1, 1, 2, 9, 1, 3, 1),
    'deleted ranges that overlap': Uint8Array.of(0, 1, 1, 2, 3, 4, 5, 1),
    'a client twice in the delete set': Uint8Array.of(0, 2, 1, 1, 9, 1, 1, 1, 3, 1),
    'a subdocument whose options name its guid': itemWith(9, bytes(1, 0x61, 118, 1, 4, 0x67, 0x75, 0x69, 0x64, 126)),
    'binary under the key __proto__': itemWith(8, bytes(1, 118, 1, 9, ...new TextEncoder().encode('__proto__'), 116, 1, 0)),
    'JSON nested deeper than the stack': itemWith(5, text('['.repeat(20_000) + ']'.repeat(20_000))),
  };
  for (const [what, update] of Object.entries(refused)) {
    test(what, () => expect(() => scanUpdate(update)).toThrow(MalformedUpdate));
  }
});

describe('[US7] takes what looks odd and is right', () => {
  const taken: Record<string, Uint8Array> = {
    'clients of a delete set in any order (yrs)': Uint8Array.of(0, 2, 1, 1, 9, 1, 2, 1, 3, 1),
    'a byte order mark in a text': itemWith(4, text('\ufeff')),
    'the word undefined in a JSON list': itemWith(2, bytes(1, 9, ...new TextEncoder().encode('undefined'))),
    'a quote and a bracket in JSON': itemWith(5, text(JSON.stringify({ a: '"[[[' }))),
    'values nested 500 deep': itemWith(8, bytes(1, ...Array.from({ length: 500 }, () => [117, 1]).flat(), 126)),
    'a key __proto__ with plain values': itemWith(8, bytes(1, 118, 1, 9, ...new TextEncoder().encode('__proto__'), 125, 1)),
    'touching deleted ranges': Uint8Array.of(0, 1, 1, 2, 3, 4, 7, 1),
  };
  for (const [what, update] of Object.entries(taken)) {
    test(what, () => {
      scanUpdate(update);
      Y.applyUpdate(new Y.Doc(), update);
    });
  }
});

test('[US6] because: out of unordered clients Y.mergeUpdates makes an update that loses text', () => {
  const unordered = Uint8Array.from([2, 1, 1, 0, 4, 1, 1, 0x74, 1, 0x61, 1, 2, 0, 4, 1, 1, 0x74, 1, 0x62, 0]);
  const goesOn = Uint8Array.from([1, 1, 2, 1, 0x84, 2, 0, 1, 0x63, 0]);
  const textOf = (...updates: Uint8Array[]) => {
    const doc = new Y.Doc();
    for (const update of updates) Y.applyUpdate(doc, update);
    return doc.getText('t').toString();
  };
  expect(textOf(unordered, goesOn)).toBe('abc');
  expect(textOf(Y.mergeUpdates([unordered, goesOn]))).toBe('a');
});

test('[US8] says what is wrong and where, and never quotes the document', () => {
  expect(() => scanUpdate(itemWith(5, text('{secret')))).toThrow(/text that is not JSON, at byte \d+/);
  expect(() => scanUpdate(itemWith(5, text('{secret')))).not.toThrow(/secret/);
});
