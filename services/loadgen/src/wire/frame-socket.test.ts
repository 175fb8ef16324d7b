import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { FrameSocket } from './frame-socket.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

interface Both {
  readonly client: FrameSocket;
  readonly server: WebSocket;
  readonly frames: { bytes: Buffer; length: number }[];
  readonly closed: Promise<{ code: number | undefined; reason: string }>;
}

/** Whatever the server sends reaches the client in pieces of so many bytes. */
async function connected(wholeBytesMax = 1024 * 1024, pieceBytes?: number): Promise<Both> {
  const webSockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  ends.push(() => webSockets.close());
  await once(webSockets, 'listening');
  const { port } = webSockets.address() as AddressInfo;
  const url = new URL(`ws://127.0.0.1:${pieceBytes === undefined ? port : await inPieces(port, pieceBytes)}/x?y=1`);
  const frames: Both['frames'] = [];
  const accepted = once(webSockets, 'connection');
  let client!: FrameSocket;
  const closed = new Promise<{ code: number | undefined; reason: string }>((resolve) => {
    client = new FrameSocket(url, wholeBytesMax, {
      opened: () => client.send(Buffer.from('hello')),
      frame: (bytes, length) => frames.push({ bytes: Buffer.from(bytes), length }),
      closed: (code, reason) => resolve({ code, reason }),
    });
  });
  const [server] = (await accepted) as [WebSocket];
  server.on('error', () => undefined);
  ends.push(() => server.terminate());
  return { client, server, frames, closed };
}

async function inPieces(port: number, bytes: number): Promise<number> {
  const { connect } = await import('node:net');
  const proxy = createServer((from: Socket) => {
    const to = connect(port, '127.0.0.1');
    from.pipe(to);
    to.on('data', (data: Buffer) => {
      for (let at = 0; at < data.byteLength; at += bytes) from.write(Buffer.from(data.subarray(at, at + bytes)));
    });
    to.on('close', () => from.destroy());
    from.on('close', () => to.destroy());
    from.setNoDelay(true);
    // The test ends both sides at once: whichever hears of it last is reset.
    for (const side of [from, to]) side.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  ends.push(() => proxy.close());
  await once(proxy, 'listening');
  return (proxy.address() as AddressInfo).port;
}

const untilFrames = async (frames: readonly unknown[], count: number): Promise<void> => {
  while (frames.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
};

test.each([undefined, 1, 7, 4096])('frames of every size come whole, in pieces of %s bytes', async (pieceBytes) => {
  const { server, frames } = await connected(1024 * 1024, pieceBytes);
  const sizes = pieceBytes === 1 ? [0, 1, 125, 126, 300] : [0, 1, 125, 126, 65_535, 65_536, 200_000, 3];
  for (const size of sizes) server.send(Buffer.alloc(size, size % 251));
  await untilFrames(frames, sizes.length);
  for (const [i, size] of sizes.entries()) {
    expect(frames[i]!.length).toBe(size);
    expect(frames[i]!.bytes.equals(Buffer.alloc(size, size % 251))).toBe(true);
  }
});

test('of a frame that is too long the beginning comes, and its length; the next is whole', async () => {
  const { server, frames } = await connected(10_000);
  server.send(Buffer.concat([Buffer.from('beginning'), Buffer.alloc(3_000_000)]));
  server.send(Buffer.from('after'));
  await untilFrames(frames, 2);
  expect(frames[0]!.length).toBe(3_000_009);
  expect(frames[0]!.bytes.subarray(0, 9).toString()).toBe('beginning');
  expect(frames[1]!.bytes.toString()).toBe('after');
});

test('what is sent arrives, long frames too', async () => {
  const { client, server } = await connected();
  const got: Buffer[] = [];
  server.on('message', (data: Buffer) => got.push(data));
  for (const size of [0, 125, 126, 70_000]) client.send(Buffer.alloc(size, 5));
  await untilFrames(got, 4);
  expect(got.filter((one) => one.toString() !== 'hello').map((one) => one.byteLength)).toEqual([0, 125, 126, 70_000]);
});

test('a close says its code and reason; a refused upgrade says so', async () => {
  const { server, closed } = await connected();
  server.close(1013, 'try again later');
  expect(await closed).toEqual({ code: 1013, reason: 'try again later' });

  const refusing = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 403 Forbidden\r\n\r\n')).listen(
    0,
    '127.0.0.1',
  );
  ends.push(() => refusing.close());
  await once(refusing, 'listening');
  const { port } = refusing.address() as AddressInfo;
  const refused = new Promise((resolve) => {
    new FrameSocket(new URL(`ws://127.0.0.1:${port}/`), 1000, {
      opened: () => undefined,
      frame: () => undefined,
      closed: (code, reason) => resolve([code, reason]),
    });
  });
  expect(await refused).toEqual([undefined, 'the upgrade was refused: HTTP/1.1 403 Forbidden']);
});

test('a ping is answered', async () => {
  const { server } = await connected();
  const pong = once(server, 'pong');
  server.ping('are you there');
  expect(((await pong) as [Buffer])[0].toString()).toBe('are you there');
});
