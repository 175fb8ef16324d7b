import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket as WsWebSocket } from 'ws';
import { bytes, type Heard, listen, testWorld } from './client.test-data.ts';
import { fallbackTarget } from './fallback-target.ts';
import { weftWebSocket, WeftWebSocket } from './index.ts';
import { StandIn } from './stand-in.test-data.ts';
import { FallingBackWebSocket } from './weft-web-socket.ts';

let server: StandIn;
const all: FallingBackWebSocket[] = [];
beforeEach(async () => {
  server = await StandIn.start();
});
afterEach(async () => {
  for (const socket of all.splice(0)) socket.close();
  await server.stop();
});

/** By either transport. */
function connect(kind: 'websocket' | 'fallback'): Heard {
  const one = listen(testWorld(kind === 'fallback' ? { WebSocket: undefined } : {}), server.url);
  all.push(one.socket);
  return one;
}

function nameOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).name;
  }
  return 'nothing';
}

describe('[CL20] constants and properties', () => {
  test('are those of a WebSocket, on the class and on the instance', () => {
    const one = connect('fallback').socket;
    for (const at of [WeftWebSocket, one]) expect([at.CONNECTING, at.OPEN, at.CLOSING, at.CLOSED]).toEqual([0, 1, 2, 3]);
    expect(one).toBeInstanceOf(EventTarget);
    expect([one.readyState, one.url, one.protocol, one.extensions, one.bufferedAmount]).toEqual([0, server.url, '', '', 0]);
  });

  test('http is understood as ws', () => {
    const one = listen(testWorld({ WebSocket: undefined }), server.url.replace('ws:', 'http:')).socket;
    all.push(one);
    expect(one.url).toBe(server.url);
  });

  test.each(['nowhere', 'ftp://127.0.0.1/collab', 'ws://127.0.0.1/collab#here', 'ws://'])('%j is a SyntaxError', (url) => {
    expect(nameOf(() => new FallingBackWebSocket(testWorld(), url))).toBe('SyntaxError');
  });

  test.each([[['a', 'a']], ['a b'], [['']], ['ü']])('the subprotocol %j is a SyntaxError', (protocols) => {
    expect(nameOf(() => new FallingBackWebSocket(testWorld(), server.url, protocols))).toBe('SyntaxError');
  });
});

describe.each(['websocket', 'fallback'] as const)('as %s', (kind) => {
  test('[CL21] events in the order of a browser, with the state they come in', async () => {
    const one = connect(kind);
    const states: string[] = [];
    for (const type of ['open', 'message', 'error', 'close'])
      one.socket.addEventListener(type as 'open', (event) => states.push(`${event.type} ${one.socket.readyState}`));
    expect(one.events).toEqual([]);
    await one.until('open');
    one.socket.send(bytes(7));
    await one.until('message 7');
    one.socket.close(4000, 'enough');
    expect(one.socket.readyState).toBe(2);
    await one.until('close');
    expect(one.events.at(-1)).toBe('close 4000 clean enough');
    expect(states).toEqual(['open 1', 'message 1', 'close 3']);
  });

  test('[CL21] after close() no message', async () => {
    const one = connect(kind);
    await one.until('open');
    one.socket.send(bytes(7));
    one.socket.close();
    await one.until('close');
    expect(one.events).toEqual(['open', 'close 1005 clean ']);
    expect(server.frames).toEqual([bytes(7)]);
  });

  test('[CL21] on… handlers stand where the first one was set; null takes them away', async () => {
    const { socket, until } = connect(kind);
    const heard: string[] = [];
    socket.addEventListener('message', () => heard.push('first'));
    socket.onmessage = () => heard.push('replaced');
    socket.addEventListener('message', () => heard.push('third'));
    const handler = (): number => heard.push('second');
    socket.onmessage = handler;
    expect(socket.onmessage).toBe(handler);
    await until('open');
    socket.send(bytes(1));
    await until('message', 1);
    await expect.poll(() => heard).toEqual(['first', 'second', 'third']);
    socket.onmessage = null;
    socket.send(bytes(1));
    await until('message', 2);
    await expect.poll(() => heard.slice(3)).toEqual(['first', 'third']);
  });

  test('[CL22] close before it is open fails the connection', async () => {
    const one = connect(kind);
    one.socket.close();
    expect([one.socket.readyState, one.events]).toEqual([2, []]);
    await one.until('close');
    expect(one.events).toEqual(['error', 'close 1006 unclean closed before it was open']);
  });

  test('[CL22] closing twice is once', async () => {
    const one = connect(kind);
    await one.until('open');
    one.socket.close(3000);
    one.socket.close(4000);
    await one.until('close');
    one.socket.close();
    expect(one.events).toEqual(['open', 'close 3000 clean ']);
    expect(one.socket.readyState).toBe(3);
  });

  test('[CL23] send copies, and takes a view for what it shows', async () => {
    const one = connect(kind);
    await one.until('open');
    const large = bytes(1, 2, 3, 4);
    one.socket.send(large.subarray(1, 3));
    large.fill(9);
    one.socket.send(bytes(5).buffer);
    one.socket.send(new DataView(bytes(6).buffer));
    await one.until('message', 3);
    expect(server.frames).toEqual([bytes(2, 3), bytes(5), bytes(6)]);
  });

  test('[CL23] too early it throws, too late it counts', async () => {
    const one = connect(kind);
    expect(nameOf(() => one.socket.send(bytes(1)))).toBe('InvalidStateError');
    await one.until('open');
    one.socket.close();
    await one.until('close');
    one.socket.send(bytes(1, 2));
    expect(one.socket.bufferedAmount).toBe(2);
    expect(server.frames).toEqual([]);
  });

  test('[CL24] binaryType: a Blob unless told otherwise', async () => {
    const { socket, until } = connect(kind);
    expect(socket.binaryType).toBe('arraybuffer');
    socket.binaryType = 'blob';
    socket.binaryType = 'nodebuffer' as BinaryType;
    expect(socket.binaryType).toBe('blob');
    const data = new Promise((resolve) => socket.addEventListener('message', (event) => resolve(event.data)));
    await until('open');
    socket.send(bytes(1, 2));
    expect(new Uint8Array(await ((await data) as Blob).arrayBuffer())).toEqual(bytes(1, 2));
  });
});

test.each([
  [1001, '', 'InvalidAccessError'],
  [2999, '', 'InvalidAccessError'],
  [5000, '', 'InvalidAccessError'],
  [1000, 'ü'.repeat(62), 'SyntaxError'],
  [1000, 'ü'.repeat(61), 'nothing'],
  [undefined, '', 'nothing'],
  [4999, '', 'nothing'],
])('[CL22] close(%j, %j): %s', async (code, reason, name) => {
  const { socket } = connect('fallback');
  expect(nameOf(() => socket.close(code, reason))).toBe(name);
  expect(socket.readyState).toBe(name === 'nothing' ? 2 : 0);
});

test.each(['text', 7, null, {}, new Blob([])])('[CL23] send(%j) is a TypeError', async (data) => {
  const { socket, until } = connect('fallback');
  await until('open');
  expect(nameOf(() => socket.send(data))).toBe('TypeError');
});

test('[CL24] bufferedAmount counts what is not answered for', async () => {
  const one = connect('fallback');
  await one.until('open');
  let answer = (): void => undefined;
  server.pushGate = new Promise<void>((resolve) => (answer = resolve));
  one.socket.send(new Uint8Array(1000));
  expect(one.socket.bufferedAmount).toBe(1002);
  answer();
  await expect.poll(() => one.socket.bufferedAmount).toBe(0);
});

test.each([
  ['ws://h:1/collab', 'http://h:1/sse?dialect=collab'],
  ['wss://h/below/collab?a=b', 'https://h/below/sse?dialect=collab&a=b'],
  ['wss://h/yjs/plan?token=x.y', 'https://h/sse?dialect=yjs&document=plan&token=x.y'],
  ['wss://h/p/yjs/a/b%2Fc', 'https://h/p/sse?dialect=yjs&document=a/b%2Fc'],
  ['wss://h/yjs/a&b=c+d e', 'https://h/sse?dialect=yjs&document=a%26b%3Dc%2Bd%20e'],
  ['wss://h/yjs/collab', 'https://h/sse?dialect=yjs&document=collab'],
  ['wss://h/yjs/über', 'https://h/sse?dialect=yjs&document=%C3%BCber'],
  ['wss://h/yjs/', undefined],
  ['wss://h/socket', undefined],
])('[CL25] the fallback of %s', (url, open) => {
  const target = fallbackTarget(new URL(url));
  expect(target?.open).toBe(open);
  if (target) expect(target.push).toBe(target.sse.replace(/sse$/, 'push'));
});

describe('[CL51] in Node', () => {
  test('without a WebSocket of its own: the fallback alone', async () => {
    const socket = new (weftWebSocket({ WebSocket: null }))(server.url);
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    expect(socket.transport).toBe('fallback');
    expect(server.requests).toEqual(['GET /sse?dialect=collab']);
    socket.close();
  });

  test('with one that is given', async () => {
    const socket = new (weftWebSocket({ WebSocket: WsWebSocket }))(server.url);
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    expect(socket.transport).toBe('websocket');
    socket.close();
  });

  test('what is not said, is what this Node has', () => {
    const given: typeof WebSocket = WeftWebSocket;
    expect(new given(server.url).readyState).toBe(0);
  });
});
