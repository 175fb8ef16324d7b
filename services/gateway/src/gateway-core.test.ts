import type { Allowed, Decision } from '@weft/grants';
import { CLOSE, CollabServerFrames } from '@weft/protocol';
import { beforeEach, expect, test } from 'vitest';
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
  awarenessEntriesMax: 100,
  documentsMax: 100,
  preAuthBytesMax: mib,
  preAuthFramesMax: 100,
  authDeadlineMs: 10_000,
  highWaterBytes: mib,
  joinBufferBytesMax: mib,
  presenceWindowMs: 20,
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

beforeEach(() => {
  nowMs = 0;
  timers = [];
  decide = () => Promise.resolve(editor);
  core = new GatewayCore({ id: 'g', incarnation: '1' }, limits, {
    nowMs: () => nowMs,
    atEndOfTick: (run) => run(),
    after: (ms, run) => void timers.push({ atMs: nowMs + ms, run }),
    publish: () => {},
    sendToWorker: () => {},
    append: () => {},
    authorize: (token) => decide(token),
    report: () => {},
  });
});

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
    core.connectYjs(socket, 'document', editor);
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
