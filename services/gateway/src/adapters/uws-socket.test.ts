import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type ListenSocket, loadUws } from './uws.ts';
import { UwsSocket } from './uws-socket.ts';

const uws = loadUws();
let listening: ListenSocket | undefined;
let client: WebSocket | undefined;

afterEach(() => {
  client?.terminate();
  listening?.close();
});

/** The server side of a fresh connection; `client` is the other. */
async function connected(): Promise<UwsSocket<unknown>> {
  const app = uws.app();
  const opened = new Promise<UwsSocket<unknown>>((resolve) => {
    app.ws('/*', { maxPayloadLength: 1024, maxBackpressure: 64 * 1024 * 1024, open: (ws) => resolve(new UwsSocket(ws)) });
  });
  listening = await uws.listen(app, '127.0.0.1', 0);
  client = new WebSocket(`ws://127.0.0.1:${listening!.port}`);
  return opened;
}

function pattern(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

test('a frame larger than the kernel takes at once arrives as it was sent, on a socket that is subscribed to nothing', async () => {
  const socket = await connected();
  const frame = pattern(6_000_000);
  // Outside of any callback of uWS, as answers are sent.
  setImmediate(() => {
    socket.send(frame);
    frame.fill(0);
  });
  const [message] = (await once(client!, 'message')) as [Buffer];
  expect(Buffer.compare(message, pattern(6_000_000))).toBe(0);
});

test('a reason too long for a close frame is cut at a character', async () => {
  const socket = await connected();
  socket.close(4400, 'ä'.repeat(200));
  const [code, reason] = (await once(client!, 'close')) as [number, Buffer];
  expect(code).toBe(4400);
  expect(reason.byteLength).toBeLessThanOrEqual(123);
  expect(reason.toString()).toMatch(/^ä+…$/u);
});
