import { afterEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { encodeAwareness } from './awareness-codec.ts';
import { FrameError } from './frame-error.ts';
import { openYWebsocket, until } from './genuine-provider.test-data.ts';
import { decodeYFrame, yServerFrames } from './y-dialect.ts';

const limits = { awarenessEntriesMax: 100 };
let close: (() => void) | undefined;
afterEach(() => close?.());

async function open() {
  const opened = await openYWebsocket();
  close = opened.close;
  return { ...opened, decoded: () => opened.socket.sent.map((frame) => decodeYFrame(frame, limits)) };
}

test('[YD1] the genuine provider opens with Step1 and its awareness, and sends edits as Update', async () => {
  const { decoded, doc, provider } = await open();
  const [step1, awareness] = await until(() => (decoded().length >= 2 ? decoded() : undefined));
  expect(step1).toEqual({ type: 'sync-step1', stateVector: Y.encodeStateVector(doc) });
  expect(awareness).toMatchObject({ type: 'awareness', entries: [{ clientId: 78, json: '{}' }] });
  doc.getText('t').insert(0, 'hé');
  expect(decoded().at(-1)).toEqual({ type: 'update', update: Y.encodeStateAsUpdate(doc) });
  provider.awareness.setLocalState(null);
  expect(decoded().at(-1)).toMatchObject({ type: 'awareness', entries: [{ json: 'null' }] });
});

test('[YD2] it is synced by our frames and hears presence', async () => {
  const { decoded, doc, provider, socket } = await open();
  const server = new Y.Doc();
  server.getText('t').insert(0, 'from the server');
  doc.getText('t').insert(0, 'mine ');
  socket.receive(yServerFrames.syncStep1(Y.encodeStateVector(server)));
  const step2 = decoded().at(-1)!;
  if (step2.type !== 'sync-step2') throw new Error('expected Step2');
  Y.applyUpdate(server, step2.update);
  socket.receive(yServerFrames.syncStep2(Y.encodeStateAsUpdate(server)));
  expect(provider.synced).toBe(true);
  server.on('update', (update: Uint8Array) => socket.receive(yServerFrames.update(update)));
  server.getText('t').insert(0, 'later ');
  expect(doc.getText('t').toString()).toBe(server.getText('t').toString());
  socket.receive(yServerFrames.awareness(encodeAwareness([{ clientId: 5, clock: 3, json: '{"name":"Ada"}' }])));
  expect(provider.awareness.getStates().get(5)).toEqual({ name: 'Ada' });
});

test('[YD2] it reads why it is denied', async () => {
  const { socket } = await open();
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  socket.receive(yServerFrames.permissionDenied('no such right'));
  expect(warn.mock.calls.flat().join(' ')).toContain('no such right');
  warn.mockRestore();
});

test('[YD3] each malformed frame is refused with its code', () => {
  const cases: [number[], string][] = [
    [[], 'malformed'],
    [[0], 'malformed'],
    [[0, 2, 3, 0, 0], 'malformed'],
    [[0, 2, 2, 0, 0, 0], 'malformed'],
    [[3, 0], 'malformed'],
    [[0, 3, 0], 'unknown-type'],
    [[2, 0, 1, 0x61], 'unknown-type'],
    [[4, 0, 1, 0], 'unknown-type'],
    [[1, 1, 101], 'too-many-awareness-entries'],
  ];
  for (const [bytes, code] of cases) {
    try {
      decodeYFrame(Uint8Array.from(bytes), limits);
      expect.unreachable(`accepted ${bytes.join(' ')}`);
    } catch (error) {
      expect(error).toBeInstanceOf(FrameError);
      expect([bytes, (error as FrameError).code]).toEqual([bytes, code]);
    }
  }
  expect(decodeYFrame(Uint8Array.of(3), limits)).toEqual({ type: 'query-awareness' });
});
