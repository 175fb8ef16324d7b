import { frameUpdates, type Peer, type ToGateway, type ToWorker } from '@weft/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import type { DocumentAnswer, GatewayDocument, QuestionHandler } from './document.ts';
import type { LogPosition, Question } from './log-position.ts';
import { PresenceBoard } from './presence-board.ts';
import { WorkerLinks } from './worker-links.ts';

const self: Peer = { id: 'g', incarnation: '1' };
const w1: Peer = { id: 'w', incarnation: '1' };
const w2: Peer = { id: 'x', incarnation: '1' };
const limits = {
  payloadBytesMax: 1024 * 1024,
  answerTimeoutMs: 3_000,
  retryMs: 50,
  retryMaxMs: 2_000,
  containsAttemptsMax: 3,
  containsBytesMax: 2 * 1024 * 1024,
  keepAliveMs: 1_000,
  workerSilentMs: 3_000,
  fetchBytes: 4,
  fetchWindowBytes: 8,
  answerUpdateBytesMax: 1024,
};
const update = updateOf('x');

function updateOf(words: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('t').insert(0, words);
  return Y.encodeStateAsUpdate(doc);
}

/** As much of a document as the links see: what is fanned out, and from where it was asked for anew. */
class Watched {
  readonly slice = 0;
  readonly partition = 0;
  presenceWindowMs = 20;
  readonly presence = new PresenceBoard<object>();
  readonly fannedOut: Uint8Array[] = [];
  readonly reopened: number[] = [];
  recovered = 0;
  readonly answers: DocumentAnswer[] = [];
  readonly name: string;
  readonly #links: WorkerLinks;
  constructor(name: string, links: WorkerLinks) {
    this.name = name;
    this.#links = links;
  }
  fanOut(bytes: Uint8Array): void {
    this.fannedOut.push(bytes);
  }
  stateless(): void {}
  recover(): void {
    this.recovered += 1;
  }
  reopen(from: LogPosition): void {
    this.reopened.push(from.position);
    this.ask({ kind: 'since', from, stateVector: Uint8Array.of(0) }, true);
  }
  ask(question: Question, isForEverybody = false): void {
    const handler: QuestionHandler = {
      isForEverybody,
      asked: () => {},
      answered: (answer) => void this.answers.push(answer),
      abandoned: () => {},
    };
    this.#links.ask(this as unknown as GatewayDocument, question, handler);
  }
}

let nowMs: number;
let owner: Peer | undefined;
let leaving: Peer | undefined;
let appended: { logIdentity: string; position: number };
let sent: { to: Peer; message: ToWorker }[];
let timers: { atMs: number; run: () => void }[];
let reports: string[];
let links: WorkerLinks;
let one: Watched;
let two: Watched;

beforeEach(() => {
  nowMs = 0;
  owner = w1;
  leaving = undefined;
  appended = { logIdentity: 'log', position: 0 };
  sent = [];
  timers = [];
  reports = [];
  links = new WorkerLinks(self, limits, {
    nowMs: () => nowMs,
    after: (ms, run) => void timers.push({ atMs: nowMs + ms, run }),
    owner: () => owner,
    isLeaving: (worker) => worker === leaving,
    sendToWorker: (to, message) => void sent.push({ to, message }),
    appended: () => appended,
    presence: () => {},
    report: (event) => void reports.push(event),
  });
  one = opened('one');
  two = opened('two');
});

function opened(name: string): Watched {
  const document = new Watched(name, links);
  links.open(document as unknown as GatewayDocument);
  return document;
}

/** Time goes on; the core is ticked five times a second. */
function pass(ms: number): void {
  for (const endMs = nowMs + ms; nowMs < endMs;) {
    nowMs += 200;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
    links.tick(nowMs);
  }
}

const hear = (message: ToGateway): void => links.hear(message, nowMs);
const questions = (kind: ToWorker['kind'] = 'open') => sent.filter(({ message }) => message.kind === kind);
const lastOpen = (document: string) => {
  const open = questions().findLast(({ message }) => message.kind === 'open' && message.document === document);
  if (open?.message.kind !== 'open') throw new Error(`${document} was not asked for`);
  return { to: open.to, ...open.message };
};

function answer(
  document: string,
  { worker = w1, position = 0, link = 1, sequence = 0, logIdentity = 'log', updates = [] as Uint8Array[], first = Infinity } = {},
): void {
  answerTo(lastOpen(document).question, { worker, position, link, sequence, logIdentity, updates, first });
}

function answerTo(
  question: number,
  { worker = w1, position = 0, link = 1, sequence = 0, logIdentity = 'log', updates = [] as Uint8Array[], first = Infinity } = {},
): void {
  const bytes = frameUpdates(updates);
  hear({
    kind: 'answer',
    worker,
    question,
    slice: 0,
    logIdentity,
    position,
    link,
    sequence,
    stateVector: Uint8Array.of(0),
    totalBytes: bytes.byteLength,
    bytes: bytes.subarray(0, first),
    presence: [],
  });
}

function relay(
  sequence: number,
  from: number,
  to: number,
  { worker = w1, logIdentity = 'log', link = 1, documents = [] as string[], released = [] as string[], tooLarge = [] as string[] } = {},
): void {
  hear({
    kind: 'relay',
    worker,
    slice: 0,
    logIdentity,
    link,
    sequence,
    from,
    to,
    documents: [...documents.map((document) => ({ document, update })), ...tooLarge.map((document) => ({ document, update: undefined }))],
    released,
  });
}

/** Both documents are open with the worker, at this place. */
function bothOpen(position = 10, sequence = 0): void {
  for (const document of [one, two]) {
    document.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer(document.name, { position, sequence });
  }
  sent = [];
}

describe('relays', () => {
  test('[GW5] that join up are fanned out, and one heard twice is not', () => {
    bothOpen();
    relay(1, 10, 12, { documents: ['one'] });
    relay(1, 10, 12, { documents: ['one'] });
    relay(2, 12, 13, { documents: ['one', 'two'] });
    expect([one.fannedOut.length, two.fannedOut.length]).toEqual([2, 1]);
    expect([...one.reopened, ...two.reopened]).toEqual([]);
  });

  test.each([
    ['a number is missing', () => relay(3, 12, 15, { documents: ['one'] })],
    ['positions do not join up', () => relay(2, 13, 15, { documents: ['one'] })],
  ])('[GW6] %s: every document of the link is asked for since the last position surely relayed', (_, lost) => {
    bothOpen();
    relay(1, 10, 12);
    lost();
    expect([one.reopened, two.reopened]).toEqual([[12], [12]]);
    expect(reports).toContain('relay-lost');
    expect(lastOpen('one')).toMatchObject({ to: w1, want: { kind: 'since', position: 12 }, atLeast: expect.any(Number) });
    // A second hole before the answers asks nothing twice; after them all is as before.
    answer('one', { position: 20, sequence: 3 });
    answer('two', { position: 20, sequence: 3 });
    relay(4, 20, 21, { documents: ['one', 'two'] });
    expect([one.fannedOut.at(-1), two.fannedOut.at(-1)]).toEqual([update, update]);
    expect([one.reopened, two.reopened]).toEqual([[12], [12]]);
  });

  test('[GW6] a lost relay that only an answer shows is a hole for the other documents', () => {
    bothOpen();
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('one', { position: 15, sequence: 2 });
    expect(two.reopened).toEqual([10]);
  });

  test('[GW6] a document whose update was too large is asked for, the others are not', () => {
    bothOpen();
    relay(1, 10, 12, { tooLarge: ['one'], documents: ['two'] });
    expect([one.reopened, two.reopened]).toEqual([[10], []]);
    expect(two.fannedOut).toEqual([update]);
  });

  test('[GW6] a released document is asked for where the ring says now, since the position before', () => {
    bothOpen();
    owner = w2;
    relay(1, 10, 12, { released: ['one'] });
    expect(one.reopened).toEqual([10]);
    expect(lastOpen('one')).toMatchObject({ to: w2, want: { kind: 'since', position: 10 } });
  });

  test('[GW5] for a document nobody has open here, the worker is told so', () => {
    bothOpen();
    relay(1, 10, 12, { documents: ['stranger'] });
    expect(questions('close')).toEqual([{ to: w1, message: { kind: 'close', gateway: self, document: 'stranger', asked: 2 } }]);
  });
});

test('[GW5] a relay from before our close, while the document is opened again: no close follows the question, or its answer would be undone', () => {
  bothOpen();
  links.close(one as unknown as GatewayDocument);
  links.open(one as unknown as GatewayDocument);
  one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
  sent = [];
  relay(1, 10, 12, { documents: ['one'] });
  expect(sent).toEqual([]);
});

describe('owners', () => {
  test('[GW6] another owner is asked for everything since, and the old one hears close', () => {
    bothOpen();
    relay(1, 10, 14);
    owner = w2;
    links.ownersChanged();
    expect(lastOpen('one')).toMatchObject({ to: w2, atLeast: 14, want: { kind: 'since', position: 14 } });
    expect(questions('close').map(({ to }) => to)).toEqual([w1, w1]);
    answer('one', { worker: w2, position: 16 });
    relay(1, 16, 17, { worker: w2, documents: ['one'] });
    expect(one.fannedOut).toEqual([update]);
  });

  test('[GW10] one that drains goes on relaying, and answers who joins, until the new owner has answered; then it hears close', () => {
    bothOpen();
    [owner, leaving] = [w2, w1];
    sent = [];
    links.ownersChanged();
    expect(questions().map(({ to }) => to)).toEqual([w2, w2]);
    expect(questions('close')).toEqual([]);
    const renewal = lastOpen('one');
    relay(1, 10, 12, { documents: ['one'] });
    expect(one.fannedOut).toEqual([update]);

    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    expect(lastOpen('one').to).toEqual(w1);
    const before = one.answers.length;
    answer('one', { position: 12, sequence: 1 });
    expect(one.answers.length).toBe(before + 1);
    // That the one which leaves has answered does not make it stay.
    links.ownersChanged();
    expect(one.reopened).toEqual([10]);

    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    const late = lastOpen('one').question;
    answerTo(renewal.question, { worker: w2, position: 13 });
    expect(questions('close').map(({ to, message }) => [to, message.kind === 'close' && message.document])).toEqual([[w1, 'one']]);
    // What the old one was still to answer is asked of the new one; should it answer all the same, it is told that nobody listens.
    expect(lastOpen('one')).toMatchObject({ to: w2, want: { kind: 'state-vector' } });
    answerTo(late, { worker: w1, position: 13, sequence: 1 });
    expect(questions('close').length).toBe(2);
    relay(1, 13, 14, { worker: w2, documents: ['one'] });
    expect(one.fannedOut.length).toBe(2);
  });

  test('[GW5] the new owner still relays from when it owned the document before: no close follows the question, though another is bound', () => {
    bothOpen();
    [owner, leaving] = [w2, w1];
    links.ownersChanged();
    const { question } = lastOpen('one');
    sent = [];
    relay(1, 10, 12, { worker: w2, documents: ['one'] });
    expect(sent).toEqual([]);
    expect(one.fannedOut).toEqual([]);
    answerTo(question, { worker: w2, position: 13 });
    expect(questions('close').map(({ to }) => to)).toEqual([w1]);
  });

  test('[GW10] one that drains and dies before the new owner has answered: nothing is asked twice, and everything since is on its way', () => {
    bothOpen();
    [owner, leaving] = [w2, w1];
    links.ownersChanged();
    leaving = undefined;
    links.ownersChanged();
    expect(one.reopened).toEqual([10]);
    answer('one', { worker: w2, position: 13 });
    relay(1, 13, 14, { worker: w2, documents: ['one'] });
    expect(one.fannedOut).toEqual([update]);
  });

  test('[GW4] while nobody owns it the question waits, and leaves when somebody does', () => {
    owner = undefined;
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    pass(1_000);
    expect(sent).toEqual([]);
    owner = w2;
    links.ownersChanged();
    expect(lastOpen('one').to).toEqual(w2);
  });

  test('[GW6] a worker silent for too long is given up, one that speaks is kept alive', () => {
    bothOpen();
    for (let i = 0; i < 10; i++) {
      pass(1_000);
      relay(i + 1, 10, 10);
    }
    expect(questions('keep-alive').length).toBeGreaterThanOrEqual(9);
    expect(one.reopened).toEqual([]);
    pass(3_400);
    expect(reports).toContain('link-lost');
    expect([one.reopened, two.reopened]).toEqual([[10], [10]]);
  });

  test('[GW6] a worker that does not know us any more is asked for everything', () => {
    bothOpen();
    relay(1, 10, 12);
    hear({ kind: 'refusal', worker: w1, question: 0, reason: 'unknown-link', detail: '' });
    expect([one.reopened, two.reopened]).toEqual([[12], [12]]);
    answer('one', { position: 13, sequence: 0 });
    relay(1, 13, 14, { documents: ['one'] });
    expect(one.fannedOut).toEqual([update]);
  });

  test('[GW6] a worker that forgot us and answers a new question first: the documents it forgot are asked for too', () => {
    bothOpen();
    relay(1, 10, 12);
    relay(2, 12, 14);
    const three = opened('three');
    three.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('three', { position: 15, link: 2 });
    expect([one.reopened, two.reopened]).toEqual([[14], [14]]);
    relay(1, 15, 16, { link: 2, documents: ['three'] });
    expect(three.fannedOut).toEqual([update]);
  });

  test('[GW6] a worker that forgot us before its first relay, whose numbers so tell nothing, is seen by the number of the link', () => {
    bothOpen(10, 0);
    const three = opened('three');
    three.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('three', { position: 15, link: 2 });
    expect([one.reopened, two.reopened]).toEqual([[10], [10]]);
  });

  test('[GW6] relays of a link begun anew, whose first answer never came: nothing is taken for what joins up, all is asked for', () => {
    bothOpen(10, 0);
    relay(1, 10, 12, { link: 2, documents: ['one'] });
    expect(one.fannedOut).toEqual([]);
    expect([one.reopened, two.reopened]).toEqual([[10], [10]]);
  });

  test('[GW6] what comes late, from before the worker began the link anew, counts for nothing: not a relay, not an answer', () => {
    bothOpen(10, 0);
    hear({ kind: 'refusal', worker: w1, question: 0, reason: 'unknown-link', detail: '' });
    for (const document of ['one', 'two']) answer(document, { position: 13, link: 2 });
    const before = [one.reopened.length, two.reopened.length];
    relay(1, 9, 14, { link: 1, documents: ['one'] });
    relay(9, 20, 21, { link: 1, documents: ['one'] });
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('one', { position: 30, link: 1 });
    expect(links.questionsPending).toBe(1);
    relay(1, 13, 14, { link: 2, documents: ['one', 'two'] });
    expect([one.fannedOut.length, two.fannedOut.length]).toEqual([1, 1]);
    expect([one.reopened.length, two.reopened.length]).toEqual(before);
  });
});

describe('a log that was replaced', () => {
  test('[GW7] an answer of the new log: nothing of the old positions counts, and every document is asked for in full', () => {
    bothOpen(1_000);
    relay(1, 1_000, 1_010);
    appended = { logIdentity: 'new', position: 2 };
    const three = opened('three');
    three.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('three', { position: 3, sequence: 0, logIdentity: 'new' });
    expect(lastOpen('one')).toMatchObject({
      logIdentity: 'new',
      atLeast: 2,
      want: { kind: 'state-vector', stateVector: Uint8Array.of(0) },
    });
    answer('one', { position: 3, logIdentity: 'new' });
    // Its clients are asked for what the log lost; those of the other never had anything of the old one.
    expect([one.recovered, three.recovered]).toEqual([1, 0]);
    three.ask({ kind: 'since', from: { logIdentity: 'new', position: 3 }, stateVector: Uint8Array.of(0) });
    expect(lastOpen('three').atLeast).toBeLessThanOrEqual(3);
    relay(1, 3, 4, { logIdentity: 'new', documents: ['one', 'three'] });
    expect([one.fannedOut.length, three.fannedOut.length]).toEqual([1, 1]);
  });

  test('[GW7] somebody left behind in the old log is caught up by state vector, also when the document is long of the new one', () => {
    bothOpen(1_000);
    hear({ kind: 'refusal', worker: w1, question: 0, reason: 'unknown-link', detail: '' });
    appended = { logIdentity: 'new', position: 2 };
    answer('one', { position: 3, link: 2, logIdentity: 'new' });
    const has = Uint8Array.of(1, 5, 2);
    one.ask({ kind: 'since', from: { logIdentity: 'log', position: 1_000 }, stateVector: has });
    expect(lastOpen('one')).toMatchObject({ logIdentity: 'new', want: { kind: 'state-vector', stateVector: has } });
  });
});

describe('questions', () => {
  test('[GW3][GW4] no answer: asked again, with what the gateway appended meanwhile', () => {
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    const before = lastOpen('one');
    appended = { logIdentity: 'log', position: 7 };
    pass(3_000);
    expect(lastOpen('one')).toMatchObject({ atLeast: 7 });
    expect(lastOpen('one').question).not.toBe(before.question);
    answer('one', { position: 7 });
    pass(2_800);
    expect(one.answers).toHaveLength(1);
    expect(questions()).toHaveLength(2);
  });

  test.each(['not-owner', 'unavailable', 'expired'] as const)('[GW4] %s: asked again after a pause that grows', (reason) => {
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    const asked: number[] = [];
    for (let i = 0; i < 12; i++) {
      hear({ kind: 'refusal', worker: w1, question: lastOpen('one').question, reason, detail: 'no' });
      const count = questions().length;
      const fromMs = nowMs;
      while (questions().length === count) pass(200);
      asked.push(nowMs - fromMs);
    }
    expect(asked[0]).toBe(200);
    expect(asked.at(-1)).toBe(2_000);
    answer('one');
    expect(one.answers).toHaveLength(1);
  });

  test('[GW4] a large answer is fetched in chunks, some ahead', () => {
    const updates = [updateOf('first'), updateOf('second')];
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('one', { updates, first: 3 });
    const bytes = frameUpdates(updates);
    let fetched = 0;
    for (let fetch = questions('fetch')[fetched]; fetch; fetch = questions('fetch')[++fetched]) {
      if (fetch.message.kind !== 'fetch') continue;
      const { question, offset, bytesMax } = fetch.message;
      hear({ kind: 'answer-bytes', worker: w1, question, offset, bytes: bytes.subarray(offset, offset + bytesMax) });
    }
    expect(one.answers).toHaveLength(1);
    expect(one.answers[0]!.updates).toEqual(updates);
  });

  test('[GW4] a chunk that is lost: what follows it is not taken, and the whole is asked for again', () => {
    const updates = [updateOf('first'), updateOf('second')];
    const bytes = frameUpdates(updates);
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('one', { updates, first: 3 });
    const [, second] = questions('fetch');
    if (second?.message.kind !== 'fetch') throw new Error('no second fetch');
    const { question, offset, bytesMax } = second.message;
    // However often it comes: as many bytes as the answer has are not yet the answer.
    for (let i = 0; i < bytes.byteLength; i++)
      hear({ kind: 'answer-bytes', worker: w1, question, offset, bytes: bytes.subarray(offset, offset + bytesMax) });
    expect(one.answers).toEqual([]);
    pass(1_600);
    relay(1, 0, 0);
    pass(1_600);
    expect(questions()).toHaveLength(2);
    answer('one', { updates, sequence: 1 });
    expect(one.answers[0]!.updates).toEqual(updates);
  });

  test('contains: false when nobody can say in time', () => {
    const said: boolean[] = [];
    links.contains(one as unknown as GatewayDocument, update, (contained) => void said.push(contained));
    pass(8_800);
    expect(said).toEqual([]);
    pass(600);
    expect(said).toEqual([false]);
  });

  test('contains: the bytes under way are bounded; beyond it false at once, and room again when one is answered', () => {
    const said: string[] = [];
    const large = new Uint8Array(600 * 1024);
    const ask = (name: string): void =>
      links.contains(one as unknown as GatewayDocument, large, (contained) => void said.push(`${name} ${contained}`));
    for (const name of ['a', 'b', 'c', 'd']) ask(name);
    expect(said).toEqual(['d false']);
    const { message } = questions('contains')[0]!;
    hear({ kind: 'contains-answer', worker: w1, question: message.kind === 'contains' ? message.question : 0, contained: true });
    expect(said).toEqual(['d false', 'a true']);
    ask('e');
    expect(said.length).toBe(2);
    links.close(one as unknown as GatewayDocument);
    expect(said.toSorted()).toEqual(['a true', 'b false', 'c false', 'd false', 'e false']);
  });

  test('who leaves before the answer: the worker that registered us all the same is told', () => {
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    const { question } = lastOpen('one');
    links.close(one as unknown as GatewayDocument);
    sent = [];
    hear({
      kind: 'answer',
      worker: w1,
      question,
      slice: 0,
      logIdentity: 'log',
      position: 1,
      link: 1,
      sequence: 0,
      stateVector: Uint8Array.of(0),
      totalBytes: 0,
      bytes: new Uint8Array(0),
      presence: [],
    });
    expect(sent).toEqual([{ to: w1, message: { kind: 'close', gateway: self, document: 'one', asked: question } }]);
    expect(links.questionsPending).toBe(0);
  });
});

describe('presence', () => {
  const told = () =>
    questions('presence').map(({ message }) =>
      message.kind === 'presence' ? message.entries.map(({ clientId, clock }) => [clientId, clock]) : [],
    );
  const tell = (...entries: [clientId: number, clock: number][]): void =>
    links.tellPresence(
      one as unknown as GatewayDocument,
      entries.map(([clientId, clock]) => ({ clientId, clock, json: '{}' })),
    );

  test('[GW19] the first after quiet is told at once, what follows in the window as the newest of each', () => {
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('one');
    pass(1000);
    one.presenceWindowMs = 500;
    tell([1, 1]);
    expect(told()).toEqual([[[1, 1]]]);
    tell([1, 2], [2, 1]);
    tell([1, 3]);
    expect(told()).toHaveLength(1);
    pass(600);
    expect(told()).toEqual([
      [[1, 1]],
      [
        [1, 3],
        [2, 1],
      ],
    ]);
    pass(600);
    tell([2, 2]);
    expect(told().at(-1)).toEqual([[2, 2]]);
  });

  test('[GW19] what waits is forgotten with the document', () => {
    one.ask({ kind: 'state-vector', stateVector: Uint8Array.of(0) });
    answer('one');
    one.presenceWindowMs = 500;
    tell([1, 1]);
    tell([1, 2]);
    links.close(one as unknown as GatewayDocument);
    pass(600);
    expect(told()).toEqual([[[1, 1]]]);
  });
});
