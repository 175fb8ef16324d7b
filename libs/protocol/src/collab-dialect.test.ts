import * as encoding from 'lib0/encoding';
import { afterEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { encodeAwareness } from './awareness-codec.ts';
import { type CollabClientFrame, decodeCollabFrame } from './collab-dialect.ts';
import { COLLAB_PING, CollabServerFrames } from './collab-server-frames.ts';
import { FrameError } from './frame-error.ts';
import { openHocuspocus, providerVersions, until } from './genuine-provider.test-data.ts';

const limits = { awarenessEntriesMax: 100 };
const NAME = 'weft/документ';
const frames = new CollabServerFrames(NAME);

let close: (() => void) | undefined;
afterEach(() => close?.());

async function open(version: (typeof providerVersions)[number], options: Record<string, unknown> = {}) {
  const opened = await openHocuspocus(version, options);
  close = opened.close;
  const decoded = () => opened.socket.sent.map((frame) => decodeCollabFrame(frame, limits));
  /** The frames sent from now on, once there is one of this type. */
  const next = async <Type extends CollabClientFrame['type']>(type: Type, act: () => void) => {
    const seen = opened.socket.sent.length;
    act();
    const frame = await until(() =>
      decoded()
        .slice(seen)
        .find((one) => one.type === type),
    );
    return frame as Extract<CollabClientFrame, { type: Type }>;
  };
  const signIn = () => opened.socket.receive(frames.authenticated('read-write'));
  return { ...opened, decoded, next, signIn };
}

describe.each(providerVersions)('the genuine provider %s', (version) => {
  test('[CD1] opens with Auth, then Step1, then its awareness', async () => {
    const { decoded, doc, provider, signIn } = await open(version);
    signIn();
    const opening = await until(() => (decoded().length >= 3 ? decoded() : undefined));
    const address = { address: NAME, document: NAME };
    const [auth, step1, awareness] = opening;
    expect(auth).toMatchObject({ ...address, type: 'auth', token: 'the token' });
    expect('version' in auth!).toBe(version.startsWith('4'));
    expect(step1).toEqual({ ...address, type: 'sync-step1', stateVector: Y.encodeStateVector(doc) });
    expect(awareness).toMatchObject({ ...address, type: 'awareness', entries: [{ clientId: 77, json: '{}' }] });
    expect(provider.awareness).not.toBeNull();
  });

  test('[CD1] sends an edit as Update, a message as Stateless, its leaving as a null state and CLOSE', async () => {
    const { doc, provider, next, signIn } = await open(version);
    signIn();
    const made: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => made.push(update));
    const update = await next('update', () => doc.getText('t').insert(0, 'hé'));
    expect(update.update).toEqual(made[0]);
    expect((await next('stateless', () => provider.sendStateless('ping ✓'))).payload).toBe('ping ✓');
    const gone = await next('awareness', () => provider.awareness!.setLocalState(null));
    expect(gone.entries).toMatchObject([{ clientId: 77, json: 'null' }]);
    await next('close', () => provider.destroy());
  });

  test('[CD2] is signed in, synced, and told what it needs by our frames', async () => {
    const { doc, provider, socket, next, signIn } = await open(version);
    signIn();
    expect(provider.authorizedScope).toBe('read-write');
    const server = new Y.Doc();
    server.getText('t').insert(0, 'from the server');
    doc.getText('t').insert(0, 'mine ');
    const step2 = await next('sync-step2', () => socket.receive(frames.syncStep1(Y.encodeStateVector(server))));
    Y.applyUpdate(server, step2.update);
    socket.receive(frames.syncStep2(Y.encodeStateAsUpdate(server, Y.encodeStateVector(doc))));
    expect(provider.isSynced).toBe(true);
    expect(doc.getText('t').toString()).toBe(server.getText('t').toString());
    server.on('update', (update: Uint8Array) => socket.receive(frames.update(update)));
    server.getText('t').insert(0, 'later ');
    expect(doc.getText('t').toString()).toBe(server.getText('t').toString());
  });

  test('[CD2] one SyncStatus(1) an Update brings unsyncedChanges back to 0, SyncStatus(0) does not', async () => {
    const { doc, provider, socket, signIn } = await open(version);
    signIn();
    // The opening counts as one change: the Step2 the server will ask for.
    expect(provider.unsyncedChanges).toBe(1);
    doc.getText('t').insert(0, 'a');
    doc.getText('t').insert(0, 'b');
    socket.receive(frames.syncStatus(false));
    expect(provider.unsyncedChanges).toBe(3);
    for (const left of [2, 1, 0]) {
      socket.receive(frames.syncStatus(true));
      expect(provider.unsyncedChanges).toBe(left);
    }
  });

  test('[CD2] hears presence and stateless messages, and answers QueryAwareness', async () => {
    const { provider, socket, next, signIn } = await open(version);
    signIn();
    socket.receive(frames.awareness(encodeAwareness([{ clientId: 5, clock: 3, json: '{"name":"Ada"}' }])));
    expect(provider.awareness!.getStates().get(5)).toEqual({ name: 'Ada' });
    const known = await next('awareness', () => socket.receive(frames.queryAwareness()));
    expect(known.entries.map((entry) => entry.clientId).sort((a, b) => a - b)).toEqual([5, 77]);
    const heard: string[] = [];
    provider.on('stateless', ({ payload }: { payload: string }) => heard.push(payload));
    socket.receive(frames.stateless('to all'));
    expect(heard).toEqual(['to all']);
  });

  test('[CD2] is refused with a reason, asked for a token again, and closed', async () => {
    const { provider, socket, next } = await open(version);
    const events: unknown[] = [];
    provider.on('authenticationFailed', ({ reason }: { reason: string }) => events.push(reason));
    provider.on('close', ({ event }: { event: { reason: string } }) => events.push(event.reason));
    socket.receive(frames.permissionDenied('no such right'));
    expect((await next('auth', () => socket.receive(frames.askForToken()))).token).toBe('the token');
    socket.receive(frames.close('moved'));
    expect(events).toEqual(['no such right', 'moved']);
  });
});

test('[CD3] v4 answers Ping with Pong, and v3 is none the worse for never being sent one', async () => {
  const { socket, next } = await open('4.8.0');
  expect(await next('pong', () => socket.receive(COLLAB_PING))).toEqual({ type: 'pong' });
});

test('[CD4] an address with a session id names document and session, and is answered to as it is', async () => {
  const { decoded, socket, provider } = await open('4.8.0', { sessionAwareness: true });
  const auth = decoded()[0]!;
  if (auth.type !== 'auth') throw new Error('expected Auth first');
  expect(auth.document).toBe(NAME);
  expect(auth.address).toBe(`${NAME}\0${auth.sessionId}`);
  socket.receive(new CollabServerFrames(auth.address).authenticated('readonly'));
  expect(provider.authorizedScope).toBe('readonly');
});

const frame = (address: string, ...rest: number[]) =>
  encoding.encode((encoder) => {
    encoding.writeVarString(encoder, address);
    encoding.writeUint8Array(encoder, Uint8Array.from(rest));
  });
const codeOf = (bytes: Uint8Array) => {
  try {
    decodeCollabFrame(bytes, limits);
    return 'accepted';
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
};

test('[CD5] SyncReply is taken as Sync, a broadcast is told apart', () => {
  expect(decodeCollabFrame(frame('d', 4, 2, 2, 0, 0), limits)).toMatchObject({ type: 'update', update: Uint8Array.of(0, 0) });
  expect(decodeCollabFrame(frame('d', 6, 1, 0x61), limits)).toMatchObject({ type: 'broadcast-stateless', payload: 'a' });
  expect(decodeCollabFrame(frame('d', 3), limits)).toMatchObject({ type: 'query-awareness' });
});

test('[CD6] each malformed frame is refused with its code', () => {
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), 'malformed'],
    [Uint8Array.of(9), 'malformed'],
    [Uint8Array.of(10, 0), 'malformed'],
    [frame('d'), 'malformed'],
    [frame('d', 0), 'malformed'],
    [frame('d', 0, 2, 3, 0, 0), 'malformed'],
    [frame('d', 0, 2, 2, 0, 0, 0), 'malformed'],
    [frame('d', 7, 0), 'malformed'],
    [frame('d', 2, 0, 1, 0xff), 'malformed'],
    [frame('d', 1, 5, 1, 1, 1, 1, 0x7b), 'malformed'],
    [frame('d', 1, 2, 0, 0), 'malformed'],
    [frame('d', 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1), 'malformed'],
    [frame('d', 0, 3, 0), 'unknown-type'],
    [frame('d', 2, 1, 0), 'unknown-type'],
    [frame('d', 8, 1), 'unknown-type'],
    [frame('d', 11), 'unknown-type'],
    [frame('d', 1, 1, 101), 'too-many-awareness-entries'],
    [frame('', 3), 'bad-name'],
    [frame(' \t', 3), 'bad-name'],
    [frame('\0session', 3), 'bad-name'],
    [frame('x'.repeat(256), 3), 'bad-name'],
    [frame(`d\0${'x'.repeat(256)}`, 3), 'bad-name'],
  ];
  for (const [bytes, code] of cases) expect([[...bytes], codeOf(bytes)]).toEqual([[...bytes], code]);
});

test('[CD7] a bad name comes with the address to answer to', () => {
  try {
    decodeCollabFrame(frame('\0s', 3), limits);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-name', address: '\0s', detail: expect.stringContaining('1 to 255 bytes') });
  }
});

test('[CD8] updates are views into the frame, and a frame for many is encoded once', () => {
  const update = Uint8Array.of(1, 2, 3);
  const bytes = frames.update(update);
  const decoded = decodeCollabFrame(bytes, limits);
  if (decoded.type !== 'update') throw new Error('expected an update');
  expect(decoded.update.buffer).toBe(bytes.buffer);
  expect(frames.syncStatus(true)).toBe(frames.syncStatus(true));
});
