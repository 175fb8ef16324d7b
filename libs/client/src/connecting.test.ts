import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket as WsWebSocket } from 'ws';
import { bytes, type Heard, listen, testWorld } from './client.test-data.ts';
import { OriginMemory, rememberedMs } from './origin-memory.ts';
import { Socket } from './socket.ts';
import { ours, StandIn } from './stand-in.test-data.ts';
import type { World } from './world.ts';

let server: StandIn;
const all: Heard[] = [];
beforeEach(async () => {
  server = await StandIn.start();
});
afterEach(async () => {
  for (const { socket } of all.splice(0)) socket.close();
  await server.stop();
});

function connect(world: World, url = server.url): Heard {
  const one = listen(world, url);
  all.push(one);
  return one;
}

async function echoes(one: Heard): Promise<void> {
  await one.until('open');
  one.socket.send(bytes(1, 2, 3));
  await one.until('message 1,2,3');
}

test('[CL1] a WebSocket that opens carries it, and nothing else is tried', async () => {
  const one = connect(testWorld());
  await echoes(one);
  expect(one.socket.transport).toBe('websocket');
  expect(server.requests).toEqual(['UPGRADE /collab']);
});

test('[CL2] an upgrade that is refused: the fallback at once, in the same instance', async () => {
  server.upgrades = 'refuse';
  // No wait of any length ever ends.
  const world = testWorld({ after: (ms, run) => (ms === 0 ? void setTimeout(run) : undefined, () => undefined) });
  const one = connect(world);
  await echoes(one);
  expect(one.socket.transport).toBe('fallback');
  expect(one.events).toEqual(['open', 'message 1,2,3']);
  expect(server.requests.slice(0, 2)).toEqual(['UPGRADE /collab', 'GET /sse?dialect=collab']);
});

describe('[CL3] an upgrade that hangs', () => {
  test('the fallback is begun after 2.5 s and wins; nothing more is heard of the other', async () => {
    server.upgrades = 'swallow';
    const world = testWorld({ timesFaster: 5 });
    const begunMs = world.nowMs();
    const one = connect(world);
    await echoes(one);
    expect(world.nowMs() - begunMs).toBeGreaterThan(2400);
    expect(one.socket.transport).toBe('fallback');
    expect(one.events).toEqual(['open', 'message 1,2,3']);
    await connectionsLeft(2);
  });

  test('the WebSocket that was only slow wins, and the stream is given up', async () => {
    server.upgrades = 'hold';
    server.openAnswers.push('hold');
    const one = connect(testWorld({ timesFaster: 5 }));
    await expect.poll(() => server.requests).toEqual(['UPGRADE /collab', 'GET /sse?dialect=collab']);
    server.letUpgrade();
    await echoes(one);
    expect(one.socket.transport).toBe('websocket');
    await connectionsLeft(1);
  });

  test('nothing is heard of a WebSocket that was dropped', async () => {
    server.upgrades = 'hold';
    const heard: string[] = [];
    const events = { opened: () => heard.push('opened'), message: () => heard.push('message'), ended: () => heard.push('ended') };
    let isClosed = false;
    class Watched extends WsWebSocket {
      constructor(url: string) {
        super(url);
        this.addEventListener('close', () => (isClosed = true));
      }
    }
    const dropped = new Socket(Watched as unknown as typeof WebSocket, server.url, [], events);
    await expect.poll(() => server.requests.length).toBe(1);
    dropped.drop();
    await expect.poll(() => isClosed).toBe(true);
    expect(heard).toEqual([]);
  });

  /** The one kept, and with a session the one its pushes go by. */
  async function connectionsLeft(count: number): Promise<void> {
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBeLessThanOrEqual(count);
  }
});

describe('[CL4] a WebSocket that dies young', () => {
  test('once, when it never delivered anything: the next instance begins with the fallback', async () => {
    Object.assign(server, { cutAfterMs: 50, isMute: true });
    const world = testWorld();
    const first = connect(world);
    await first.until('close 1006');
    const second = connect(world);
    await echoes(second);
    expect(second.socket.transport).toBe('fallback');
    expect(server.requests.filter((one) => one.startsWith('UPGRADE'))).toHaveLength(1);
  });

  test('twice in a row, when it did', async () => {
    server.cutAfterMs = 200;
    const world = testWorld();
    for (let i = 0; i < 2; i++) {
      const one = connect(world);
      await echoes(one);
      expect(one.socket.transport).toBe('websocket');
      await one.until('close 1006');
    }
    const third = connect(world);
    await echoes(third);
    expect(third.socket.transport).toBe('fallback');
  });

  const died = (openedMs: number) => ({ openedMs, isAbnormal: true, hasDelivered: true });

  test('two that were open at once are not in a row', () => {
    const memory = new OriginMemory(() => undefined);
    for (const openedMs of [0, 100, 200]) memory.webSocketEnded('o', 5000, died(openedMs));
    expect(memory.beginsWithFallback('o', 5000)).toBe(false);
    memory.webSocketEnded('o', 7000, died(6000));
    expect(memory.beginsWithFallback('o', 7000)).toBe(true);
  });

  test.each([
    ['one that lived for ten seconds', { ...died(3000), atMs: 13_001 }],
    ['a clean end', { ...died(3000), isAbnormal: false, atMs: 4000 }],
  ])('%s in between begins the count anew', (_, { atMs, ...better }) => {
    const memory = new OriginMemory(() => undefined);
    memory.webSocketEnded('o', 2000, died(1000));
    memory.webSocketEnded('o', atMs, better);
    memory.webSocketEnded('o', atMs + 2000, died(atMs + 1000));
    expect(memory.beginsWithFallback('o', atMs + 2000)).toBe(false);
  });
});

describe('[CL11] a WebSocket that lets nothing through', () => {
  test('is given up after 15 s, and the next instance begins with the fallback', async () => {
    server.isMute = true;
    const world = testWorld({ timesFaster: 50 });
    const one = connect(world);
    await one.until('open');
    expect(world.waits).toContain(15_000);
    one.socket.send(bytes(1));
    await one.until('close');
    expect(one.events).toEqual(['open', 'error', 'close 1006 unclean nothing came']);
    const second = connect(world);
    await echoes(second);
    expect(second.socket.transport).toBe('fallback');
  });

  test.each([
    ['nothing was sent', { isMute: true, sends: false, path: 'collab' }],
    ['something was heard', { isMute: false, sends: true, path: 'collab' }],
    ['there is no fallback', { isMute: true, sends: true, path: 'elsewhere' }],
  ])('but not where %s', async (_, { isMute, sends, path }) => {
    server.isMute = isMute;
    const world = testWorld({ timesFaster: 50 });
    const one = connect(world, server.url.replace('collab', path));
    await one.until('open');
    if (sends) one.socket.send(bytes(1));
    await new Promise((resolve) => void world.after(20_000, () => resolve(undefined)));
    expect(one.socket.readyState).toBe(1);
  });
});

describe('[CL5] what worked', () => {
  const kept = (): { map: Map<string, string>; storage: () => Storage } => {
    const map = new Map<string, string>();
    const storage = {
      getItem: (key: string) => map.get(key) ?? null,
      setItem: (key: string, value: string) => void map.set(key, value),
      removeItem: (key: string) => void map.delete(key),
    } as Storage;
    return { map, storage: () => storage };
  };

  test('is remembered: the next instance does not ask for a WebSocket', async () => {
    server.upgrades = 'refuse';
    const world = testWorld();
    await echoes(connect(world));
    server.upgrades = 'accept';
    const second = connect(world);
    await echoes(second);
    expect(second.socket.transport).toBe('fallback');
  });

  test('also in the storage, for other pages; for ten minutes, however often it is used; then WebSocket comes first', () => {
    const { storage } = kept();
    const memory = new OriginMemory(storage);
    memory.preferFallback('o', 1000);
    memory.preferFallback('o', 1000 + rememberedMs / 2);
    const otherPage = new OriginMemory(storage);
    for (const one of [memory, otherPage]) {
      expect(one.beginsWithFallback('o', 999 + rememberedMs)).toBe(true);
      expect(one.beginsWithFallback('o', 1000 + rememberedMs)).toBe(false);
      expect(one.beginsWithFallback('another', 2000)).toBe(false);
    }
  });

  test.each([
    ['getting it throws', () => new OriginMemory(() => thrown())],
    ['using it throws', () => new OriginMemory(() => ({ getItem: thrown, setItem: thrown, removeItem: thrown }))],
    ['there is none', () => new OriginMemory(() => undefined)],
  ])('in memory alone where %s', (_, make) => {
    const memory = make();
    memory.preferFallback('o', 1000);
    expect(memory.beginsWithFallback('o', 2000)).toBe(true);
    memory.forgetFallback('o');
    expect(memory.beginsWithFallback('o', 2000)).toBe(false);
  });

  test('is not believed where the clock was set back, or the storage has something else', () => {
    const { map, storage } = kept();
    const memory = new OriginMemory(storage);
    memory.preferFallback('o', 10 * rememberedMs);
    expect(memory.beginsWithFallback('o', 0)).toBe(false);
    for (const key of map.keys()) map.set(key, 'nonsense');
    expect(new OriginMemory(storage).beginsWithFallback('o', 10 * rememberedMs)).toBe(false);
  });

  test('of a hundred origins; the oldest goes', () => {
    const memory = new OriginMemory(() => undefined);
    for (let i = 0; i <= 100; i++) memory.preferFallback(`o${i}`, 0);
    expect(memory.beginsWithFallback('o1', 1)).toBe(true);
    expect(memory.beginsWithFallback('o0', 1)).toBe(false);
  });

  const thrown = (): never => {
    throw new DOMException('no', 'SecurityError');
  };
});

describe('[CL6] a remembered fallback', () => {
  test.each([
    ['is a page of something else', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['is not there', { status: 404 }],
    ['is cut off', 'cut'],
  ] as const)('that %s: WebSocket in the same instance, and first the next time', async (_, answer) => {
    const world = testWorld();
    world.memory.preferFallback(new URL(server.url).origin, world.nowMs());
    server.openAnswers.push(answer);
    const one = connect(world);
    await echoes(one);
    expect(one.socket.transport).toBe('websocket');
    expect(world.memory.beginsWithFallback(new URL(server.url).origin, world.nowMs())).toBe(false);
  });

  test('that hangs gets company after 2.5 s', async () => {
    const world = testWorld({ timesFaster: 5 });
    world.memory.preferFallback(new URL(server.url).origin, world.nowMs());
    server.openAnswers.push('hold');
    const one = connect(world);
    await echoes(one);
    expect(one.socket.transport).toBe('websocket');
  });
});

describe('[CL7] a refusal of the fallback', () => {
  test.each([
    [400, 4400],
    [401, 4401],
    [403, 4403],
    [404, 4404],
  ])('%i in the words of the server ends it with %i', async (status, code) => {
    server.upgrades = 'refuse';
    server.openAnswers.push(ours(status, 'some-code', 'why it is so'));
    const one = connect(testWorld());
    await one.until('close');
    expect(one.events).toEqual(['error', `close ${code} unclean why it is so`]);
  });

  test('ends it also while the upgrade hangs', async () => {
    server.upgrades = 'swallow';
    server.openAnswers.push(ours(401, 'unauthorized', 'a token is needed'));
    const one = connect(testWorld({ timesFaster: 5 }));
    await one.until('close');
    expect(one.events).toEqual(['error', 'close 4401 unclean a token is needed']);
  });

  test.each([401, 403, 404, 500, 502])(
    '%i in other words comes from something in between, and does not keep a provider away',
    async (status) => {
      server.upgrades = 'refuse';
      server.openAnswers.push({ status, body: '<html>', headers: { 'content-type': 'text/html' } });
      const one = connect(testWorld());
      await one.until('close');
      expect(one.events).toEqual(['error', `close 1006 unclean HTTP ${status}`]);
    },
  );

  test.each([429, 503])('%i is 1013, whoever says it', async (status) => {
    server.upgrades = 'refuse';
    server.openAnswers.push({ status });
    const one = connect(testWorld());
    await one.until('close');
    expect(one.events).toEqual(['error', `close 1013 unclean HTTP ${status}`]);
  });
});

describe('[CL8] Retry-After', () => {
  test.each([
    ['in seconds', () => '60', 60_000],
    ['as a date', (nowMs: number) => new Date(nowMs + 60_000).toUTCString(), 60_000],
    ['longer than ten minutes', () => '86400', 600_000],
    ['absent', () => undefined, 2000],
    ['nonsense', () => 'soon', 2000],
  ])('%s: the next instance waits for it, and some more', async (_, value, waitMs) => {
    server.upgrades = 'refuse';
    // By a clock that stands still; waits are short.
    const world = testWorld({ timesFaster: 200, nowMs: () => Date.parse('2030-01-01T00:00:00Z') });
    const retryAfter = value(world.nowMs());
    server.openAnswers.push({ status: 503, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } });
    await connect(world).until('close 1013');
    const asked = server.requests.length;
    world.waits.length = 0;
    const one = connect(world);
    expect(world.waits[0]).toBe(waitMs + 0.5 * (500 + waitMs / 4));
    expect(server.requests).toHaveLength(asked);
    if (waitMs > 60_000) return;
    await echoes(one);
    expect(one.socket.transport).toBe('fallback');
  });

  test('is for WebSocket, too: it is not asked where the fallback came first', async () => {
    const world = testWorld();
    world.memory.preferFallback(new URL(server.url).origin, world.nowMs());
    server.openAnswers.push({ status: 503, headers: { 'retry-after': '60' } });
    await connect(world).until('close 1013');
    expect(server.requests).toEqual(['GET /sse?dialect=collab']);
  });

  test('says more than a WebSocket that fails later', async () => {
    server.upgrades = 'hold';
    server.openAnswers.push(ours(503, 'unavailable', 'come later'));
    const one = connect(testWorld({ timesFaster: 5 }));
    await expect.poll(() => server.requests.length).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.failUpgrades();
    await one.until('close');
    expect(one.events).toEqual(['error', 'close 1013 unclean come later']);
  });

  test('a WebSocket that was only slow is still taken', async () => {
    server.upgrades = 'hold';
    server.openAnswers.push({ status: 503, headers: { 'retry-after': '60' } });
    const one = connect(testWorld({ timesFaster: 5 }));
    await expect.poll(() => server.requests.length).toBe(2);
    server.letUpgrade();
    await echoes(one);
    expect(one.socket.transport).toBe('websocket');
  });
});

describe('[CL9] neither is there', () => {
  test('error, then 1006', async () => {
    await server.stop();
    const one = connect(testWorld());
    await one.until('close');
    expect(one.events).toEqual(['error', 'close 1006 unclean the stream broke']);
  });

  test('nor after 20 s', async () => {
    server.upgrades = 'swallow';
    server.openAnswers.push('hold');
    const world = testWorld({ timesFaster: 50 });
    const begunMs = world.nowMs();
    const one = connect(world);
    await one.until('close');
    expect(world.nowMs() - begunMs).toBeGreaterThan(19_000);
    expect(one.events[0]).toBe('error');
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBe(0);
  });

  test('and no fallback for this URL', async () => {
    server.upgrades = 'refuse';
    const one = connect(testWorld(), `ws://127.0.0.1:${server.port}/elsewhere`);
    await one.until('close');
    expect(one.events).toEqual(['error', 'close 1006 unclean ']);
    expect(server.requests).toEqual(['UPGRADE /elsewhere']);
  });
});

test('[CL10] who lost an open connection comes back spread over half a second', async () => {
  const world = testWorld({ random: () => 0.9 });
  server.cutAfterMs = 100;
  const first = connect(world);
  await first.until('close 1006');
  world.waits.length = 0;
  await connect(world).until('open');
  expect(world.waits[0]).toBe(450);
  world.waits.length = 0;
  connect(world);
  expect(world.waits[0]).toBe(0);
});
