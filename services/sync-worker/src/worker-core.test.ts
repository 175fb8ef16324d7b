import { decodeToGateway, encodeToGateway, type Open, type Relay, type ToGateway, UpdateDeframer } from '@weft/protocol';
import { partitionOf } from '@weft/ring';
import type { StoredDocument } from '@weft/store';
import { EMPTY_UPDATE } from '@weft/updates';
import { type LogRecord, RecordPacker } from '@weft/wal';
import { beforeEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import type { HeldDocument } from './held-document.ts';
import { Tail } from './tail.ts';
import { WorkerCore, type WorkerLimits } from './worker-core.ts';

const self = { id: 'w', incarnation: '1' };
const near = { id: 'near', incarnation: '1' };
const far = { id: 'far', incarnation: '1' };
const kib = 1024;
const limits: WorkerLimits = {
  partitions: 4,
  slices: 1,
  payloadBytesMax: 64 * kib,
  lookbackMs: 10_000,
  pieceBytesMax: 1024 * kib,
  waitingMax: 10,
  waitMs: 10_000,
  waitingBytesMax: 1024 * kib,
  transfersMax: 10,
  transfersBytesMax: 1024 * kib,
  transferMs: 30_000,
  loadRetryMs: 100,
  loadRetryMaxMs: 5_000,
  linkIdleMs: 500,
  gatewaySilentMs: 5_000,
  documentIdleMs: 60_000,
  tailBytesMax: 256 * kib,
  refreshMs: 10_000,
};
const nothing = Uint8Array.of(0);
const all: Open['want'] = { kind: 'state-vector', stateVector: nothing };
const document = 'document';
const partition = partitionOf(document, limits.partitions);
const empty: StoredDocument = {
  snapshot: { version: 0, pieces: [], stateVector: nothing, deletes: EMPTY_UPDATE },
  tail: [],
  floor: undefined,
};

let core: WorkerCore;
let sent: { to: string; message: ToGateway }[];
let loads: HeldDocument[];
/** What the store answers a load with; undefined: it does not yet. */
let stored: StoredDocument | undefined;
let nowMs: number;
let position: number;
let packers: Map<string, RecordPacker>;
let question: number;

beforeEach(() => {
  nowMs = 100_000;
  position = 100;
  question = 0;
  sent = [];
  loads = [];
  stored = empty;
  packers = new Map();
  core = new WorkerCore(self, limits, {
    // As the bus brings it: an answer's bytes are good only within the call.
    send: (to, message) => void sent.push({ to: to.id, message: decodeToGateway(encodeToGateway(message).slice()) }),
    load: (slice, held) => {
      loads.push(held);
      // As the real one: not within the call.
      if (stored) queueMicrotask(() => core.loaded(slice, held, stored!, nowMs));
    },
    refresh: () => {},
    completeDeletes: (_, done) => done(undefined, nowMs),
    wake: () => {},
    report: () => {},
  });
  core.follow(0, 'log', position);
});

/** Somebody types this, alone, in the document. */
function typed(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('t').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

/** The next records of the log, from this gateway; not yet read. */
function recordsOf(update: Uint8Array, { from = near, name = document, recordBytesMax = 32 * kib } = {}): LogRecord[] {
  const packer = packers.get(from.id) ?? new RecordPacker(`${from.id}/${from.incarnation}`);
  packers.set(from.id, packer);
  const entries = [{ document: name, partition: partitionOf(name, limits.partitions), update }];
  return [...packer.recordsFrom(entries, recordBytesMax)].map(({ bytes }) => ({ position: ++position, atMs: nowMs, bytes }));
}

const read = (records: readonly LogRecord[]): void => core.takeRecords(0, records, nowMs);

/** The partition is owned, and was filled with nothing. */
function owned(): void {
  const to = core.slice(0)!.gain(partition);
  core.filled(0, { base: to, to, target: to }, new Map([[partition, new Map()]]), nowMs);
}

async function ask(
  from = near,
  { atLeast = 0, logIdentity = 'log', want = all }: Partial<Pick<Open, 'atLeast' | 'logIdentity' | 'want'>> = {},
) {
  question += 1;
  core.hear({ kind: 'open', gateway: from, question, document, atLeast, logIdentity, want, presence: [] }, nowMs);
  await Promise.resolve();
  return question;
}

const answerTo = (asked: number) =>
  sent.map(({ message }) => message).find((message) => 'question' in message && message.question === asked);
const relaysTo = (to: string): Relay[] => sent.flatMap((one) => (one.to === to && one.message.kind === 'relay' ? [one.message] : []));

function textIn(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc.getText('t').toString();
}

function textOfAnswer(asked: number): string {
  const answer = answerTo(asked);
  if (answer?.kind !== 'answer') throw new Error(`no answer: ${JSON.stringify(answer)}`);
  return textIn(new UpdateDeframer(1024 * kib).push(answer.bytes));
}

const relayedText = (to: string): string =>
  textIn(relaysTo(to).flatMap(({ documents }) => documents.flatMap(({ update }) => (update ? [update] : []))));

describe('answers', () => {
  beforeEach(owned);

  test('[SW1] stand at a position, and relays go on from it: nothing is between them', async () => {
    read(recordsOf(typed('before')));
    const asked = await ask(far);
    expect(answerTo(asked)).toMatchObject({ position: 101, logIdentity: 'log', sequence: 0 });
    expect(textOfAnswer(asked)).toBe('before');
    read(recordsOf(typed('after')));
    expect(relaysTo('far')).toMatchObject([{ from: 101, to: 102, sequence: 1 }]);
    expect(relayedText('far')).toBe('after');
  });

  test('[SW2] wait for the position they must have, and for no position of another log', async () => {
    const records = recordsOf(typed('needed'));
    const asked = await ask(far, { atLeast: 101 });
    expect(answerTo(asked)).toBeUndefined();
    expect(answerTo(await ask(near, { atLeast: 5_000, logIdentity: 'another' }))).toMatchObject({ kind: 'answer' });
    read(records);
    await Promise.resolve();
    core.tick(nowMs);
    expect(textOfAnswer(asked)).toBe('needed');
  });

  test('[SW2] a position that does not come in time is refused, not answered with less', async () => {
    const asked = await ask(far, { atLeast: 101 });
    nowMs += limits.waitMs;
    core.tick(nowMs);
    expect(answerTo(asked)).toMatchObject({ kind: 'refusal', reason: 'unavailable' });
  });

  test('[SW3] a document that fails to load is refused, never taken for an empty one, and read again after a pause', async () => {
    stored = undefined;
    const asked = await ask();
    expect(answerTo(asked)).toBeUndefined();
    core.loadFailed(0, loads[0]!, 'Postgres is away', nowMs);
    expect(answerTo(asked)).toMatchObject({ kind: 'refusal', reason: 'unavailable', detail: 'Postgres is away' });
    expect(answerTo(await ask())).toMatchObject({ kind: 'refusal' });
    expect(loads).toHaveLength(1);
    stored = empty;
    nowMs += limits.loadRetryMaxMs;
    const again = await ask();
    expect(loads).toHaveLength(2);
    expect(answerTo(again)).toMatchObject({ kind: 'answer' });
  });

  test('[SW4] `since` is answered from the tail, which reaches back ten seconds whatever the floor; further back by the state vector', async () => {
    core.tick(nowMs);
    read(recordsOf(typed('one ')));
    nowMs += 1_100;
    core.tick(nowMs);
    read(recordsOf(typed('two')));
    core.floor(0, 'log', 102, nowMs + 5_000);
    const asked = await ask(far, { want: { kind: 'since', position: 101, stateVector: nothing } });
    expect(textOfAnswer(asked)).toBe('two');
    const far2 = await ask(far, { want: { kind: 'since', position: 3, stateVector: nothing } });
    expect(textOfAnswer(far2)).toContain('two');
    expect(textOfAnswer(far2)).toContain('one');
  });
});

describe('relays', () => {
  beforeEach(async () => {
    owned();
    await ask(near);
    await ask(far);
    sent = [];
  });

  test('[SW5] go to every gateway that has the document open but the one they came from, numbered, each from where the last ended', () => {
    read(recordsOf(typed('mine')));
    read(recordsOf(typed('theirs'), { from: far }));
    expect(relaysTo('far').map(({ from, to, sequence }) => [from, to, sequence])).toEqual([[100, 101, 1]]);
    expect(relaysTo('near').map(({ from, to, sequence }) => [from, to, sequence])).toEqual([[100, 102, 1]]);
    expect([relayedText('far'), relayedText('near')]).toEqual(['mine', 'theirs']);
  });

  test('[SW6] an idle link is told how far it is, so that a relay that was lost last is missed too', () => {
    read(recordsOf(typed('mine')));
    nowMs += limits.linkIdleMs;
    core.tick(nowMs);
    const [, idle] = relaysTo('far');
    expect(idle).toMatchObject({ sequence: 2, from: 101, to: 101, documents: [] });
  });

  test('[SW7] many travel in several messages, of which only the last moves the position; one too large for any is named, to be asked for', () => {
    const large = typed('x'.repeat(limits.payloadBytesMax));
    read(recordsOf(large, { recordBytesMax: 256 * kib }));
    expect(relaysTo('far').at(-1)).toMatchObject({ to: 101, documents: [{ document, update: undefined }] });
  });

  test('[SW8] a partition that is lost is released in a numbered relay; what is asked afterwards is not ours', async () => {
    core.lose(0, [partition], nowMs);
    expect(relaysTo('far').at(-1)).toMatchObject({ sequence: 1, released: [document] });
    expect(answerTo(await ask(far))).toMatchObject({ kind: 'refusal', reason: 'not-owner' });
    sent = [];
    read(recordsOf(typed('to nobody')));
    expect(sent).toEqual([]);
  });

  test('[SW9] a log that was replaced voids every link: gateways learn it at their next word', async () => {
    core.follow(0, 'new log', 3);
    core.hear({ kind: 'keep-alive', gateway: far }, nowMs);
    expect(sent.at(-1)).toMatchObject({ to: 'far', message: { kind: 'refusal', reason: 'unknown-link' } });
  });

  test('[SW10] a gateway that says nothing for five seconds has nothing open here any more', () => {
    nowMs += limits.gatewaySilentMs + 1;
    core.hear({ kind: 'keep-alive', gateway: near }, nowMs);
    core.tick(nowMs);
    sent = [];
    read(recordsOf(typed('mine'), { from: near }));
    expect(relaysTo('far')).toEqual([]);
    core.hear({ kind: 'keep-alive', gateway: far }, nowMs);
    expect(sent.at(-1)).toMatchObject({ to: 'far', message: { reason: 'unknown-link' } });
  });
});

describe('a takeover', () => {
  test('[SW11] answers nobody before the log is read again, and before it stands where the log ended when it took over', async () => {
    const to = core.slice(0)!.gain(partition);
    const asked = await ask();
    expect(answerTo(asked)).toBeUndefined();
    const before = typed('before it ');
    const tail = new Tail();
    tail.push(90, before);
    // The log had grown to 102 when it was looked at: who was told of that by the owner before may ask here.
    core.filled(0, { base: 80, to, target: 102 }, new Map([[partition, new Map([[document, tail]])]]), nowMs);
    core.tick(nowMs);
    expect(answerTo(asked)).toBeUndefined();
    read(recordsOf(typed('and ')));
    core.tick(nowMs);
    expect(answerTo(asked)).toBeUndefined();
    read(recordsOf(typed('after')));
    await Promise.resolve();
    core.tick(nowMs);
    const text = textOfAnswer(asked);
    for (const words of ['before it ', 'and ', 'after']) expect(text).toContain(words);
  });

  test('[SW12] an update in pieces that began before it and ends after it arrives once, whole', async () => {
    const update = typed('z'.repeat(3 * kib));
    const pieces = recordsOf(update, { recordBytesMax: kib });
    expect(pieces.length).toBeGreaterThan(2);
    // The main reader had read the first piece when the partition was not its own.
    read(pieces.slice(0, 1));
    owned();
    await ask(far);
    sent = [];
    read(pieces.slice(1));
    expect(relayedText('far')).toBe('');
    core.takeLate(0, { partition, document, origin: 'near/1', update }, nowMs);
    expect(relayedText('far')).toBe('z'.repeat(3 * kib));
  });

  test('[SW13] a partition lost and gained again meanwhile is not filled by the reading of before', async () => {
    const first = core.slice(0)!.gain(partition);
    core.lose(0, [partition], nowMs);
    read(recordsOf(typed('while it was another’s')));
    core.slice(0)!.gain(partition);
    core.filled(0, { base: 0, to: first, target: first }, new Map([[partition, new Map()]]), nowMs);
    expect(answerTo(await ask())).toBeUndefined();
  });
});

test('[SW18] a close that comes late, said before the question that has the document open now, ends nothing', async () => {
  owned();
  const first = await ask(far);
  // It left, and came back; the bus had kept its `close`.
  await ask(far);
  core.hear({ kind: 'close', gateway: far, document, asked: first }, nowMs);
  read(recordsOf(typed('still heard')));
  expect(relayedText('far')).toBe('still heard');
  core.hear({ kind: 'close', gateway: far, document, asked: question }, nowMs);
  read(recordsOf(typed('not heard')));
  expect(relayedText('far')).toBe('still heard');
});

test('[SW18] a link that is begun anew has a higher number, in answers and in relays', async () => {
  owned();
  const numberOf = (asked: number): number => {
    const answer = answerTo(asked);
    return answer?.kind === 'answer' ? answer.link : Number.NaN;
  };
  const first = numberOf(await ask(far));
  core.tick((nowMs += limits.gatewaySilentMs + 1));
  const second = numberOf(await ask(far));
  expect(second).toBeGreaterThan(first);
  read(recordsOf(typed('more')));
  expect(relaysTo('far').at(-1)).toMatchObject({ link: second, sequence: 1 });
});

describe('memory', () => {
  beforeEach(owned);

  test('[SW15] a document nobody has open is let go after a while; one that could not be read, and a name that never had an edit, too', async () => {
    await ask(near);
    read(recordsOf(typed('kept')));
    core.hear({ kind: 'close', gateway: near, document, asked: question }, nowMs);
    expect(core.documentsOpen).toBe(1);
    nowMs += limits.documentIdleMs + 1_001;
    core.tick(nowMs);
    expect(core.documentsOpen).toBe(0);
    // Its tail is kept until Postgres has it and nobody asks so far back.
    const held = () => core.slice(0)!.document(partition, document);
    expect(held()?.tail.isEmpty).toBe(false);
    stored = undefined;
    await ask(near);
    core.loadFailed(0, held()!, 'Postgres is away', nowMs);
    for (let i = 0; i < 15; i++) core.tick((nowMs += 1_000));
    core.floor(0, 'log', 101, nowMs);
    expect(held()).toBeUndefined();
  });

  test('[SW15] one that was open for long is kept as long after its last gateway has left: people come back, and Postgres may be away', async () => {
    await ask(near);
    for (let i = 0; i < 100; i++) {
      core.hear({ kind: 'keep-alive', gateway: near }, (nowMs += 1_000));
      core.tick(nowMs);
    }
    core.hear({ kind: 'close', gateway: near, document, asked: question }, nowMs);
    core.tick((nowMs += 1_000));
    expect(core.documentsOpen).toBe(1);
    core.tick((nowMs += limits.documentIdleMs + 1));
    expect(core.documentsOpen).toBe(0);
  });

  test('[SW16] an empty update, which only carries an acknowledgement through the log, is no change of any document', async () => {
    await ask(far);
    sent = [];
    read(recordsOf(EMPTY_UPDATE));
    expect(relaysTo('far').flatMap(({ documents }) => documents)).toEqual([]);
    expect(core.slice(0)!.position).toBe(101);
  });
});
