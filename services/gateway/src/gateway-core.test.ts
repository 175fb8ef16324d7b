import type { Allowed, Decision } from '@weft/grants';
import { CLOSE, CollabServerFrames, encodeAwareness, frameUpdates, type Open, type PresenceEntry, type ToWorker } from '@weft/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import type { Batch } from './append-queue.ts';
import type { ClientSocket } from './client-socket.ts';
import type { ConnectionHandler } from './connection-world.ts';
import { GatewayCore, type GatewayLimits } from './gateway-core.ts';

const mib = 1024 * 1024;
const limits: GatewayLimits = {
  partitions: 8,
  slices: 1,
  ackAfter: 'log',
  unacknowledgedBytesMax: mib,
  slowClientMs: 60_000,
  presenceSilentMs: 45_000,
  frameBytesMax: mib,
  framesPerSecond: 1_000,
  bytesPerSecond: mib,
  documentsPerMinute: 1_000,
  awarenessEntriesMax: 100,
  documentsMax: 100,
  preAuthBytesMax: mib,
  preAuthFramesMax: 100,
  authDeadlineMs: 10_000,
  highWaterBytes: mib,
  joinBufferBytesMax: mib,
  presenceWindowMs: 20,
  presenceLeaveMs: 100,
  presenceBytesMax: mib,
  presenceIdsMax: 100,
  presenceStateBytesMax: mib,
  stateVectorBytesMax: mib,
  statelessBytesMax: mib,
  payloadBytesMax: mib,
  answerTimeoutMs: 3_000,
  retryMs: 50,
  retryMaxMs: 2_000,
  containsAttemptsMax: 3,
  containsBytesMax: 32 * 1024 * 1024,
  keepAliveMs: 1_000,
  workerSilentMs: 3_000,
  fetchBytes: mib,
  fetchWindowBytes: mib,
  answerUpdateBytesMax: mib,
};
const editor: Allowed = { allowed: true, role: 'editor', who: { id: 'a', name: 'Ada' }, untilMs: Number.MAX_SAFE_INTEGER };
/** As service.ts calls it. */
const turns = 15;

let nowMs: number;
let timers: { atMs: number; run: () => void }[];
let decide: (token: string) => Promise<Decision>;
let core: GatewayCore;
/** Questions to the worker, and batches for the log. */
let asked: Open[];
let appends: Batch<unknown>[];
let contained: Extract<ToWorker, { kind: 'contains' }>[];
let published: Uint8Array[];
const worker = { id: 'w', incarnation: '1' };

beforeEach(() => {
  nowMs = 0;
  timers = [];
  asked = [];
  appends = [];
  contained = [];
  published = [];
  decide = () => Promise.resolve(editor);
  core = build(limits);
});

function build(its: GatewayLimits): GatewayCore {
  return new GatewayCore({ id: 'g', incarnation: '1' }, its, {
    nowMs: () => nowMs,
    wallMs: () => nowMs,
    atEndOfTick: (run) => run(),
    after: (ms, run) => void timers.push({ atMs: nowMs + ms, run }),
    publish: (_, frame) => void published.push(frame),
    sendToWorker: (_, message) => {
      if (message.kind === 'open') asked.push(message);
      if (message.kind === 'contains') contained.push(message);
    },
    append: (_, batch) => void appends.push(batch),
    authorize: (token) => decide(token),
    userCame: () => Promise.resolve(undefined),
    userLeft: () => {},
    report: () => {},
  });
}

/** The worker's answer: it has this state, and nothing the asker lacks. */
function answer({ question }: Open, stateVector: Uint8Array = Uint8Array.of(0), logIdentity = 'log'): void {
  const bytes = frameUpdates([]);
  const place = { slice: 0, logIdentity, position: 1, link: 1, sequence: 0 };
  core.hearWorker({ kind: 'answer', worker, question, ...place, stateVector, totalBytes: bytes.byteLength, bytes, presence: [] });
}

/** Remembers when it was last spoken to, and the longest silence. */
class Listening implements ClientSocket {
  readonly sent: Uint8Array[] = [];
  closed: { code: number; reason: string } | undefined;
  longestSilenceMs = 0;
  #heardAtMs = 0;
  send(frame: Uint8Array): void {
    this.longestSilenceMs = Math.max(this.longestSilenceMs, nowMs - this.#heardAtMs);
    this.#heardAtMs = nowMs;
    this.sent.push(frame);
  }
  bufferedBytes(): number {
    return 0;
  }
  subscribe(): void {}
  unsubscribe(): void {}
  publishToOthers(): void {}
  cork(sends: () => void): void {
    sends();
  }
  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }
}

async function collab(version?: string): Promise<{ socket: Listening; handler: ConnectionHandler }> {
  const socket = new Listening();
  const handler = core.connectCollab(socket);
  handler.frame(authFrame('document', version), true);
  await Promise.resolve();
  return { socket, handler };
}

/** varString address, 2 (Auth), 0, varString token, perhaps varString version; all shorter than 128 bytes. */
function authFrame(address: string, version?: string): Uint8Array {
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  return Uint8Array.from([...text(address), 2, 0, ...text('token'), ...(version === undefined ? [] : text(version))]);
}

function pass(seconds: number): void {
  for (let i = 0; i < seconds; i++) {
    nowMs += 1_000;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
    core.keepAlive((nowMs / 1_000) % turns, turns);
    core.tick();
  }
}

test('a silent connection of either dialect and any age of provider hears something at least every 20 s', async () => {
  const sockets: Listening[] = [];
  for (let i = 0; i < 20; i++) sockets.push((await collab()).socket, (await collab('4.8.0')).socket);
  for (let i = 0; i < 20; i++) {
    const socket = new Listening();
    core.connectYjs(socket, 'document', { token: 'token', allowed: editor });
    sockets.push(socket);
  }
  pass(120);
  for (const socket of sockets) {
    expect(socket.closed).toBeUndefined();
    expect(socket.sent.length).toBeGreaterThanOrEqual(8);
    expect(socket.longestSilenceMs).toBeLessThanOrEqual(20_000);
  }
});

test('only a provider that told its version gets Ping: others take it for the start of an address', async () => {
  const old = await collab();
  const young = await collab('4.8.0');
  pass(15);
  expect(old.socket.sent.at(-1)!.byteLength).toBeGreaterThan(1);
  expect(young.socket.sent.at(-1)).toEqual(Uint8Array.of(9));
});

test('no Auth within the deadline: 4408; one in time stays', async () => {
  const silent = new Listening();
  core.connectCollab(silent);
  const { socket } = await collab();
  pass(10);
  expect(silent.closed).toEqual({ code: CLOSE.timeout.code, reason: 'no valid Auth within 10000 ms' });
  expect(socket.closed).toBeUndefined();
});

test('a gateway that stood still for longer than the deadline hears the Auth that came meanwhile, and then gives up who still sends none', async () => {
  const early = new Listening();
  const handler = core.connectCollab(early);
  const silent = new Listening();
  core.connectCollab(silent);
  // Timers come first when a process wakes, then what waits in its sockets.
  nowMs += 15_000;
  pass(1);
  expect([early.closed, silent.closed]).toEqual([undefined, undefined]);
  handler.frame(authFrame('document'), true);
  await Promise.resolve();
  pass(10);
  expect(early.closed).toBeUndefined();
  expect(silent.closed).toEqual({ code: CLOSE.timeout.code, reason: 'no valid Auth within 10000 ms' });
});

test('answers of auth that overtake each other: the latest Auth counts', async () => {
  const { socket, handler } = await collab();
  const answers: ((decision: Decision) => void)[] = [];
  decide = () => new Promise((resolve) => answers.push(resolve));
  handler.frame(authFrame('document'), true);
  handler.frame(authFrame('document'), true);
  answers[1]!({ ...editor, role: 'viewer' });
  await Promise.resolve();
  answers[0]!(editor);
  await Promise.resolve();
  await Promise.resolve();
  expect(socket.sent.at(-1)).toEqual(new CollabServerFrames('document').authenticated('readonly'));
});

/** Step1 of an address; the state vector has one client at this clock. */
const step1 = (address: string, clock: number): Uint8Array =>
  Uint8Array.from([address.length, ...new TextEncoder().encode(address), 0, 0, 3, 1, 7, clock]);

test('a client that asks again and again while it is answered costs one question at a time, and its newest is answered', async () => {
  core.setOwners(Array.from({ length: limits.partitions }, () => worker));
  const { socket, handler } = await collab();
  for (let clock = 1; clock <= 100; clock++) handler.frame(step1('document', clock), true);
  expect(asked.map(({ want }) => want)).toEqual([{ kind: 'state-vector', stateVector: Uint8Array.of(1, 7, 1) }]);
  socket.sent.length = 0;
  answer(asked[0]!);
  expect(asked.length).toBe(2);
  expect(asked[1]!.want).toEqual({ kind: 'state-vector', stateVector: Uint8Array.of(1, 7, 100) });
  answer(asked[1]!);
  expect(asked.length).toBe(2);
  const step2s = socket.sent.filter((frame) => frame[9] === 0 && frame[10] === 1);
  expect(step2s.length).toBe(2);
});

test('an Auth that came in time and is not answered yet keeps the connection; none, or a refused one, does not', async () => {
  let refuse: (decision: Decision) => void = () => {};
  decide = () => new Promise((resolve) => (refuse = resolve));
  const waiting = await collab();
  const silent = new Listening();
  core.connectCollab(silent);
  pass(15);
  expect(silent.closed?.code).toBe(CLOSE.timeout.code);
  expect(waiting.socket.closed).toBeUndefined();
  refuse({ allowed: false, status: 401, reason: 'no' });
  await Promise.resolve();
  await Promise.resolve();
  pass(15);
  expect(waiting.socket.closed?.code).toBe(CLOSE.timeout.code);
});

test('more Auths than documents that wait for an answer: 4429; as many as a page can send are answered', async () => {
  decide = () => new Promise(() => {});
  const socket = new Listening();
  const handler = core.connectCollab(socket);
  for (let i = 0; i < 2 * limits.documentsMax; i++) handler.frame(authFrame(`d${i % limits.documentsMax}`), true);
  expect(socket.closed).toBeUndefined();
  handler.frame(authFrame('d0'), true);
  expect(socket.closed?.code).toBe(CLOSE.rateLimited.code);
});

test('[GW18] who is gone from one gateway and given by another is not seen to go; who stays away is, a moment later', async () => {
  core.setOwners(Array.from({ length: limits.partitions }, () => worker));
  const { handler } = await collab();
  handler.frame(step1('document', 1), true);
  answer(asked[0]!);
  const relay = (...entries: PresenceEntry[]): void => core.hearWorker({ kind: 'presence-relay', worker, document: 'document', entries });
  const seen = (...entries: PresenceEntry[]): Uint8Array => new CollabServerFrames('document').awareness(encodeAwareness(entries));
  const [here, gone] = [
    { clientId: 7, clock: 1, json: '{}' },
    { clientId: 7, clock: 1, json: 'null' },
  ];
  relay(here);
  pass(1);
  relay(gone);
  relay(here);
  pass(1);
  expect(published).toContainEqual(seen(here));
  expect(published).not.toContainEqual(seen(gone));
  relay(gone);
  expect(published).not.toContainEqual(seen(gone));
  pass(1);
  expect(published.at(-1)).toEqual(seen(gone));
});

describe('[GW11] Updates that come before the Step2 of their connection', () => {
  const taken = new CollabServerFrames('document').syncStatus(true);
  const sync = (kind: 1 | 2, bytes: Uint8Array): Uint8Array =>
    Uint8Array.from([8, ...new TextEncoder().encode('document'), 0, kind, bytes.byteLength, ...bytes]);
  const acks = (socket: Listening): number => socket.sent.filter((sent) => Buffer.from(sent).equals(Buffer.from(taken))).length;
  /** What somebody typed, an update a letter. Each but the first builds on the one before. */
  const typed = (text: string): Uint8Array[] => {
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on('update', (one: Uint8Array) => updates.push(one));
    for (const [i, letter] of text.split('').entries()) doc.getText('t').insert(i, letter);
    return updates;
  };
  /** Appends what waits, for as long as something does. */
  let appended = 0;
  const appendAll = (): void => {
    for (; appended < appends.length; appended++) core.appended(0, 'log', appended + 1);
  };

  beforeEach(() => {
    appended = 0;
    core.setOwners(Array.from({ length: limits.partitions }, () => worker));
  });

  test('are left to it: until then they may build on edits that went down with another gateway, and lie pending for ever if the client vanishes', async () => {
    const [lost, offline, next] = typed('abc') as [Uint8Array, Uint8Array, Uint8Array];
    const { socket, handler } = await collab();
    handler.frame(step1('document', 1), true);
    // The provider flushes what was typed while it was away, before the worker has answered.
    handler.frame(sync(2, offline), true);
    handler.frame(sync(2, next), true);
    expect(appends).toEqual([]);
    answer(asked[0]!);
    expect(acks(socket)).toBe(0);
    const all = Y.mergeUpdates([lost, offline, next]);
    handler.frame(sync(1, all), true);
    expect(appends.map(({ entries }) => entries.map(({ update }) => update))).toEqual([[all]]);
    expect(acks(socket)).toBe(0);
    appendAll();
    expect(acks(socket)).toBe(3);
    handler.frame(sync(2, typed('later')[0]!), true);
    appendAll();
    expect(acks(socket)).toBe(4);
  });

  test('are acknowledged at once where the client had nothing when it asked: it has no more to bring', async () => {
    const { socket, handler } = await collab();
    handler.frame(Uint8Array.from([8, ...new TextEncoder().encode('document'), 0, 0, 1, 0]), true);
    handler.frame(sync(2, typed('a')[0]!), true);
    appendAll();
    expect(acks(socket)).toBe(1);
  });

  test('and not before they are in the log, when the Step2 brings nothing', async () => {
    const { socket, handler } = await collab();
    handler.frame(step1('document', 1), true);
    handler.frame(sync(2, typed('a')[0]!), true);
    answer(asked[0]!);
    handler.frame(sync(1, Uint8Array.of(0, 0)), true);
    expect(acks(socket)).toBe(0);
    appendAll();
    expect(acks(socket)).toBe(2);
  });

  test('or nothing that the house lacks', async () => {
    const edits = typed('ab') as [Uint8Array, Uint8Array];
    const { socket, handler } = await collab();
    handler.frame(step1('document', 1), true);
    handler.frame(sync(2, edits[1]), true);
    answer(asked[0]!, Y.encodeStateVectorFromUpdate(Y.mergeUpdates(edits)));
    handler.frame(sync(1, Y.mergeUpdates(edits)), true);
    expect(acks(socket)).toBe(0);
    appendAll();
    expect(acks(socket)).toBe(2);
  });
});

describe('with WEFT_ACK_AFTER=database', () => {
  const taken = new CollabServerFrames('document').syncStatus(true);
  const update = (text: string): Uint8Array => {
    const doc = new Y.Doc();
    doc.getText('t').insert(0, text);
    return Y.encodeStateAsUpdate(doc);
  };
  const frame = (kind: 1 | 2, bytes: Uint8Array): Uint8Array =>
    Uint8Array.from([8, ...new TextEncoder().encode('document'), 0, kind, bytes.byteLength, ...bytes]);
  const acks = (socket: Listening): number => socket.sent.filter((sent) => Buffer.from(sent).equals(Buffer.from(taken))).length;

  beforeEach(() => {
    core = build({ ...limits, ackAfter: 'database', unacknowledgedBytesMax: 250 });
    core.setOwners(Array.from({ length: limits.partitions }, () => worker));
  });

  test('[GW2] what waits for Postgres counts as unacknowledged: over the bound 1013, and room again when it is committed', async () => {
    const { socket, handler } = await collab();
    handler.frame(frame(2, update('one')), true);
    core.appended(0, 'log', 1);
    handler.frame(frame(2, update('two')), true);
    core.appended(0, 'log', 2);
    expect(acks(socket)).toBe(0);
    const other = await collab();
    handler.frame(frame(2, update('x'.repeat(100))), true);
    expect(socket.closed).toEqual({
      code: 1013,
      reason: 'edits wait to be saved and have reached their bound: keep the edit, try again later',
    });
    core.floor(0, 'log', 2);
    other.handler.frame(frame(2, update('x'.repeat(100))), true);
    expect(other.socket.closed).toBeUndefined();
    expect(core.unacknowledgedBytes).toBeGreaterThan(100);
  });

  test('a Step2 the log has already is acknowledged only when Postgres has it too', async () => {
    const edit = update('mine');
    const { socket, handler } = await collab();
    handler.frame(step1('document', 1), true);
    answer(asked[0]!, Y.encodeStateVectorFromUpdate(edit));
    handler.frame(frame(1, edit), true);
    expect(acks(socket)).toBe(0);
    expect(appends.length).toBe(1);
    core.appended(0, 'log', 5);
    core.floor(0, 'log', 4);
    expect(acks(socket)).toBe(0);
    core.floor(0, 'log', 5);
    expect(acks(socket)).toBe(1);
  });

  test('[GW8] the log was replaced before Postgres had the edit: its client is sent away, to bring it again', async () => {
    const { socket, handler } = await collab();
    handler.frame(frame(2, update('one')), true);
    core.appended(0, 'log', 7);
    const other = await collab();
    other.handler.frame(frame(2, update('two')), true);
    core.appended(0, 'another log', 1);
    expect(socket.closed?.code).toBe(1013);
    core.floor(0, 'another log', 1);
    expect(acks(other.socket)).toBe(1);
    expect(acks(socket)).toBe(0);
  });

  test('[GW8] what waits fills the bound and the log is replaced: its floor makes room, though nothing can be appended', async () => {
    const { socket, handler } = await collab();
    handler.frame(frame(2, update('x'.repeat(100))), true);
    core.appended(0, 'log', 7);
    const refused = await collab();
    refused.handler.frame(frame(2, update('y'.repeat(50))), true);
    expect(refused.socket.closed?.code).toBe(1013);
    core.floor(0, 'another log', 0);
    expect(socket.closed?.code).toBe(1013);
    expect(core.unacknowledgedBytes).toBe(0);
    const { socket: back, handler: again } = await collab();
    again.frame(frame(2, update('y'.repeat(50))), true);
    core.appended(0, 'another log', 1);
    core.floor(0, 'another log', 1);
    expect(acks(back)).toBe(1);
  });
});

describe('[GW7] a log that was replaced', () => {
  const edit = (text: string): Uint8Array => {
    const doc = new Y.Doc();
    doc.getText('t').insert(0, text);
    return Y.encodeStateAsUpdate(doc);
  };
  const sync = (kind: 0 | 1 | 2, bytes: Uint8Array): Uint8Array =>
    Uint8Array.from([8, ...new TextEncoder().encode('document'), 0, kind, bytes.byteLength, ...bytes]);
  const taken = new CollabServerFrames('document').syncStatus(true);
  const sentTo = ({ socket }: { socket: Listening }, frame: Uint8Array): number =>
    socket.sent.filter((sent) => Buffer.from(sent).equals(Buffer.from(frame))).length;
  const nothing = Uint8Array.of(0);

  /** Somebody who has the document open, with everything the house has. */
  async function joined(vector: Uint8Array, logIdentity = 'log') {
    const client = await collab();
    client.handler.frame(sync(0, vector), true);
    answer(asked.at(-1)!, vector, logIdentity);
    client.handler.frame(sync(1, Uint8Array.of(0, 0)), true);
    return client;
  }

  /** The link to the worker is void; what was open is asked for again, and answered in the new log. */
  function replaced(vector: Uint8Array): void {
    const before = asked.length;
    core.hearWorker({ kind: 'refusal', worker, question: 0, reason: 'unknown-link', detail: '' });
    const reopened = asked[before]!;
    answer(reopened, vector, 'new');
  }

  beforeEach(() => core.setOwners(Array.from({ length: limits.partitions }, () => worker)));

  test('who has the document open is asked for what it lost, which goes into the log and is not acknowledged: nobody counts it', async () => {
    const mine = edit('acknowledged once');
    const ada = await joined(Y.encodeStateVectorFromUpdate(mine));
    const bob = await joined(Y.encodeStateVectorFromUpdate(mine));
    const acknowledged = sentTo(ada, taken);
    replaced(nothing);
    const question = asked.at(-1)!;
    expect(question.want).toEqual({ kind: 'nothing' });
    answer(question, nothing, 'new');
    const step1 = new CollabServerFrames('document').syncStep1(nothing);
    expect([sentTo(ada, step1), sentTo(bob, step1)]).toEqual([1, 1]);
    ada.handler.frame(sync(1, mine), true);
    expect(appends.at(-1)!.entries.map(({ update }) => Buffer.from(update).equals(Buffer.from(mine)))).toEqual([true]);
    core.appended(0, 'new', 1);
    expect(sentTo(ada, taken)).toBe(acknowledged);
    // What comes after is counted as ever.
    ada.handler.frame(sync(2, edit('more')), true);
    core.appended(0, 'new', 2);
    expect(sentTo(ada, taken)).toBe(acknowledged + 1);
  });

  test('of many a few are asked at once, and the others later for what is still missing', async () => {
    const all = [];
    for (let i = 0; i < 20; i++) all.push(await joined(nothing));
    replaced(nothing);
    answer(asked.at(-1)!, nothing, 'new');
    const step1 = (clock: number) => new CollabServerFrames('document').syncStep1(Uint8Array.of(1, 7, clock));
    const first = all.map((client) => sentTo(client, new CollabServerFrames('document').syncStep1(nothing)) - 1);
    expect(first.reduce((sum, count) => sum + count, 0)).toBe(8);
    nowMs += 1_000;
    for (const { atMs, run } of timers.splice(0)) if (atMs <= nowMs) run();
    answer(asked.at(-1)!, Uint8Array.of(1, 7, 9), 'new');
    expect(all.map((client, i) => sentTo(client, step1(9)) + first[i]!)).toEqual(all.map(() => 1));
  });
});

describe('[GW16] who may edit after it could not', () => {
  const bytesOf = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
  const sync = (kind: 0 | 1 | 2, bytes: Uint8Array): Uint8Array =>
    Uint8Array.from([...bytesOf('document'), 0, kind, bytes.byteLength, ...bytes]);
  const statuses = ({ sent }: Listening): number[] =>
    [true, false]
      .flatMap((taken) => {
        const status = Buffer.from(new CollabServerFrames('document').syncStatus(taken));
        return sent.flatMap((frame, at) => (status.equals(frame) ? [{ at, taken: taken ? 1 : 0 }] : []));
      })
      .toSorted((a, b) => a.at - b.at)
      .map(({ taken }) => taken);
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  let appended = 0;
  const appendAll = (): void => {
    for (; appended < appends.length; appended++) core.appended(0, 'log', appended + 1);
  };
  const regrade = async (role: 'viewer' | 'editor'): Promise<void> => {
    decide = () => Promise.resolve({ ...editor, role });
    core.rightsChanged({ user: 'a' });
    await settled();
  };

  test('is asked for what was refused it; what it makes next is acknowledged with that, and so is what was refused', async () => {
    appended = 0;
    core.setOwners(Array.from({ length: limits.partitions }, () => worker));
    const doc = new Y.Doc();
    const edits: Uint8Array[] = [];
    doc.on('update', (edit: Uint8Array) => edits.push(edit));
    for (const [i, letter] of ['a', 'b', 'c'].entries()) doc.getText('t').insert(i, letter);
    decide = () => Promise.resolve({ ...editor, role: 'viewer' });
    const { socket, handler } = await collab();
    handler.frame(sync(0, Uint8Array.of(0)), true);
    answer(asked.shift()!);
    handler.frame(sync(1, Uint8Array.of(0, 0)), true);
    handler.frame(sync(2, edits[0]!), true);
    handler.frame(sync(2, edits[1]!), true);
    expect(statuses(socket)).toEqual([1, 0, 0]);

    await regrade('editor');
    // It builds on what was refused.
    handler.frame(sync(2, edits[2]!), true);
    appendAll();
    expect(statuses(socket)).toEqual([1, 0, 0]);
    answer(asked.shift()!);
    handler.frame(sync(1, Y.encodeStateAsUpdate(doc)), true);
    expect(statuses(socket)).toEqual([1, 0, 0]);
    appendAll();
    expect(statuses(socket)).toEqual([1, 0, 0, 1, 1, 1]);
    handler.frame(sync(2, Y.encodeStateAsUpdate(new Y.Doc())), true);
    expect(statuses(socket)).toEqual([1, 0, 0, 1, 1, 1, 1]);
  });

  test('and may not again when it answers: nothing of it is taken, and each edit has its answer', async () => {
    appended = 0;
    core.setOwners(Array.from({ length: limits.partitions }, () => worker));
    const doc = new Y.Doc();
    doc.getText('t').insert(0, 'a');
    const first = Y.encodeStateAsUpdate(doc);
    const before = Y.encodeStateVector(doc);
    doc.getText('t').insert(1, 'b');
    decide = () => Promise.resolve({ ...editor, role: 'viewer' });
    const { socket, handler } = await collab();
    handler.frame(sync(0, Uint8Array.of(0)), true);
    answer(asked.shift()!);
    handler.frame(sync(1, Uint8Array.of(0, 0)), true);
    handler.frame(sync(2, first), true);
    await regrade('editor');
    handler.frame(sync(2, Y.encodeStateAsUpdate(doc, before)), true);
    appendAll();
    await regrade('viewer');
    answer(asked.shift()!);
    const taken = appends.length;
    handler.frame(sync(1, Y.encodeStateAsUpdate(doc)), true);
    expect(contained).toHaveLength(1);
    core.hearWorker({ kind: 'contains-answer', worker, question: contained[0]!.question, contained: false });
    appendAll();
    expect(appends).toHaveLength(taken);
    expect(statuses(socket)).toEqual([1, 0, 0]);
  });
});
