import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, type Heard, listen, type TestWorld, testWorld } from './client.test-data.ts';
import { ours, StandIn } from './stand-in.test-data.ts';

let server: StandIn;
const all: Heard[] = [];
beforeEach(async () => {
  server = await StandIn.start();
});
afterEach(async () => {
  for (const { socket } of all.splice(0)) socket.close();
  await server.stop();
});

/** By the fallback, open. */
async function connected(timesFaster = 1): Promise<Heard & { readonly world: TestWorld }> {
  const world = testWorld({ WebSocket: undefined, timesFaster });
  const one = listen(world, server.url);
  all.push(one);
  await one.until('open');
  world.waits.length = 0;
  return { ...one, world };
}

const pushes = (): string[] => server.requests.filter((one) => one.startsWith('POST'));
const resumes = (): string[] => server.requests.filter((one) => one.includes('/sse?session'));
const nOf = (request: string): string | null => new URL(request.slice(5), 'http://x').searchParams.get('n');

/** Pushes wait until the answer is called. */
function gate(): () => void {
  let open = (): void => undefined;
  server.pushGate = new Promise<void>((resolve) => (open = resolve));
  return () => open();
}

describe('[CL30] pushes', () => {
  test('one under way; what is sent meanwhile is the next body, in order', async () => {
    const one = await connected();
    const open = gate();
    one.socket.send(bytes(1));
    one.socket.send(bytes(2));
    await expect.poll(pushes).toHaveLength(1);
    one.socket.send(bytes(3));
    one.socket.send(bytes(4));
    open();
    await one.until('message', 4);
    expect(server.bodies.map((body) => [...body])).toEqual([
      [1, 1, 1, 2],
      [1, 3, 1, 4],
    ]);
    expect(pushes().map(nOf)).toEqual(['1', '2']);
  });

  test('a body has no more than pushBytesMax', async () => {
    server.pushBytesMax = 100;
    const one = await connected();
    for (let i = 0; i < 10; i++) one.socket.send(new Uint8Array(40).fill(i));
    await one.until('message', 10);
    expect(server.bodies.map(({ length }) => length)).toEqual([82, 82, 82, 82, 82]);
    expect(server.frames.map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('[CL31] a push', () => {
  test.each([
    ['that never arrived', 'cut'],
    ['whose answer was lost', 'take-and-cut'],
    ['answered by a page of something else', { status: 200, body: '<html>' }],
    ['that found nobody', { status: 502, body: '<html>' }],
    ['answered 404 by something in between', { status: 404, body: '<html>' }],
    ['whose gateway does not answer', { ...ours(503, 'unavailable', 'later'), headers: { 'retry-after': '0' } }],
    ['that came too often', { ...ours(429, 'too-many', 'later'), headers: { 'retry-after': '0' } }],
  ] as const)('%s is sent again, with its number and its bytes, and taken once', async (_, answer) => {
    const one = await connected();
    server.pushAnswers.push(answer, answer);
    one.socket.send(bytes(1));
    await expect.poll(pushes).not.toHaveLength(0);
    one.socket.send(bytes(2));
    await one.until('message 2');
    expect(pushes().map(nOf)).toEqual(['1', '1', '1', '2']);
    expect(one.events).toEqual(['open', 'message 1', 'message 2']);
    expect(server.bodies.map((body) => [...body])).toEqual([
      [1, 1],
      [1, 2],
    ]);
    // random() is 0.5.
    expect(one.world.waits.filter((ms) => ms === 187.5 || ms === 375)).toEqual([187.5, 375]);
  });

  test('waits as Retry-After says', async () => {
    const one = await connected(100);
    server.pushAnswers.push({ ...ours(503, 'unavailable', 'later'), headers: { 'retry-after': '7' } });
    one.socket.send(bytes(1));
    await one.until('message 1');
    expect(one.world.waits).toContain(7000);
  });

  test('an answer that does not come is not waited for', async () => {
    const one = await connected(100);
    const open = gate();
    one.socket.send(bytes(1));
    await expect.poll(() => pushes().slice(0, 2).map(nOf)).toEqual(['1', '1']);
    expect(one.world.waits).toContain(20_000 + 2 / 16);
    open();
    server.pushGate = Promise.resolve();
    await one.until('message 1');
    expect(server.bodies).toHaveLength(1);
  });

  test('is given up after a minute, and with it the session', async () => {
    server.keepAliveMs = 60_000;
    const one = await connected(20);
    server.pushAnswers.push(...Array.from({ length: 200 }, () => 'cut' as const));
    one.socket.send(bytes(1));
    await one.until('close');
    expect(one.events).toEqual(['open', 'error', 'close 1006 unclean a push had no answer']);
    const pauses = one.world.waits.filter((ms) => ms < 5000);
    expect(pauses.slice(0, 6)).toEqual([187.5, 375, 750, 1500, 3000, 3750]);
  });

  test.each([
    [ours(404, 'unknown-session', 'there is no such session'), 'close 1006 unclean there is no such session'],
    [ours(409, 'not-next', 'push 1 is not the next'), 'close 1006 unclean push 1 is not the next'],
    [ours(413, 'too-large', 'too large'), 'close 1009 unclean too large'],
    [ours(400, 'half-a-frame', 'half a frame'), 'close 4400 unclean half a frame'],
  ])('refused in the words of the server ends it: %j', async (answer, end) => {
    const one = await connected();
    server.pushAnswers.push(answer);
    one.socket.send(bytes(1));
    await one.until('close');
    expect(one.events).toEqual(['open', 'error', end]);
    expect(pushes()).toHaveLength(1);
  });

  test('[CL42] to a session that is over: clean, with code and reason', async () => {
    const one = await connected();
    server.pushAnswers.push(ours(410, 'session-over', 'it is over', { close: { code: 4403, reason: 'Forbidden' } }));
    one.socket.send(bytes(1));
    await one.until('close');
    expect(one.events).toEqual(['open', 'close 4403 clean Forbidden']);
  });
});

describe('[CL32] limits', () => {
  test('a frame larger than a push: 1009', async () => {
    server.pushBytesMax = 100;
    const one = await connected();
    one.socket.send(new Uint8Array(99));
    await one.until('message');
    one.socket.send(new Uint8Array(100));
    await one.until('close');
    expect(one.events.at(-1)).toBe('close 1009 unclean a frame has 100 bytes; a push takes 100');
  });

  test('more than 64 MiB unsent: 1006', async () => {
    server.pushBytesMax = 2 ** 24;
    const one = await connected();
    gate();
    for (let i = 0; i < 6 && one.socket.readyState === 1; i++) one.socket.send(new Uint8Array(2 ** 24 - 8));
    await one.until('close');
    expect(one.events.at(-1)).toBe('close 1006 unclean more than 67108864 bytes are unsent');
  });
});

describe('[CL33] what was received', () => {
  test('is confirmed by the next push', async () => {
    const one = await connected();
    one.socket.send(bytes(1));
    await one.until('message 1');
    one.socket.send(bytes(2));
    await one.until('message 2');
    expect(server.last.seen).toBe(1);
  });

  test('after 5 s by one of its own, once', async () => {
    const one = await connected(20);
    server.send(server.last, bytes(1));
    server.send(server.last, bytes(2));
    await expect.poll(() => server.last.seen).toBe(2);
    expect(one.world.waits.filter((ms) => ms === 5000)).toHaveLength(1);
    expect(server.bodies.map(({ length }) => length)).toEqual([0]);
  });

  test('after 64 KiB at once', async () => {
    await connected();
    server.send(server.last, new Uint8Array(60_000));
    await expect.poll(() => server.last.seen).toBe(1);
  });
});

describe('[CL34] close', () => {
  test('comes with the last push, after all that was sent', async () => {
    const one = await connected();
    const open = gate();
    one.socket.send(bytes(1));
    await expect.poll(pushes).toHaveLength(1);
    one.socket.send(bytes(2));
    one.socket.close(4001, 'bye');
    open();
    await one.until('close');
    expect([server.last.closedWith, server.frames]).toEqual(['4001', [bytes(1), bytes(2)]]);
    expect(one.events.at(-1)).toBe('close 4001 clean bye');
    await expect.poll(() => server.last.stream).toBe(undefined);
  });

  test('waits for the last of several pushes', async () => {
    server.pushBytesMax = 100;
    const one = await connected();
    for (let i = 0; i < 5; i++) one.socket.send(new Uint8Array(40).fill(i));
    one.socket.close();
    await one.until('close 1005 clean');
    expect(server.frames).toHaveLength(5);
    expect(pushes().map((push) => push.includes('&close=1000'))).toEqual([false, false, true]);
  });

  test('is not resumed after: its answer is waited for', async () => {
    const one = await connected();
    const open = gate();
    one.socket.close(4001, 'bye');
    await expect.poll(pushes).toHaveLength(1);
    server.breakStreams();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(resumes()).toEqual([]);
    open();
    await one.until('close 4001 clean bye');
  });

  test('without an answer is 1006 after 3 s', async () => {
    const one = await connected(20);
    gate();
    one.socket.close();
    await one.until('close');
    expect(one.world.waits).toContain(3000);
    expect(one.events.at(-1)).toBe('close 1006 unclean the goodbye had no answer');
  });
});

test('[CL35] a page that goes hands its last pushes to the browser, in order', async () => {
  const given: { url: string; keepalive: boolean | undefined; body: unknown }[] = [];
  const world = testWorld({
    WebSocket: undefined,
    fetch: (url, init) => {
      if (init?.method === 'POST') given.push({ url: String(url), keepalive: init.keepalive, body: [...(init.body as Uint8Array)] });
      return fetch(url, init);
    },
  });
  const page = Object.assign(globalThis, fakePage());
  try {
    const one = listen(world, server.url);
    await one.until('open');
    gate();
    one.socket.send(bytes(1));
    await expect.poll(pushes).toHaveLength(1);
    one.socket.send(bytes(2));
    page.hide(true);
    expect(one.socket.readyState).toBe(1);
    page.hide(false);
    expect(one.socket.readyState).toBe(3);
    expect(given.map(({ url, ...rest }) => ({ ...rest, url: url.replace(/^.*&n=/, 'n=') }))).toEqual([
      { url: 'n=1&seen=0', keepalive: undefined, body: [1, 1] },
      { url: 'n=1&seen=0', keepalive: true, body: [1, 1] },
      { url: 'n=2&seen=0&close=1001', keepalive: true, body: [1, 2] },
    ]);
  } finally {
    for (const name of ['addEventListener', 'removeEventListener', 'hide']) Reflect.deleteProperty(globalThis, name);
  }
});

/** Of a browser's global object, what tells that the page goes. */
function fakePage(): Pick<EventTarget, 'addEventListener' | 'removeEventListener'> & { hide(persisted: boolean): void } {
  const target = new EventTarget();
  return {
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    hide: (persisted) => void target.dispatchEvent(Object.assign(new Event('pagehide'), { persisted })),
  };
}

describe('[CL41] a stream that broke', () => {
  test('is resumed after the last event; nothing twice, nothing left out', async () => {
    const one = await connected();
    server.send(server.last, bytes(1), bytes(2));
    await one.until('message 2');
    server.breakStreams();
    server.send(server.last, bytes(3));
    await one.until('message 3');
    server.send(server.last, bytes(4));
    await one.until('message 4');
    expect(one.events).toEqual(['open', 'message 1', 'message 2', 'message 3', 'message 4']);
    expect(resumes()).toEqual([`GET /sse?session=${server.last.id}&after=1`]);
    expect(one.world.waits).toContain(187.5);
  });

  test('again and again, with growing pauses, after whatever answer that is not final', async () => {
    const one = await connected(4);
    server.resumeAnswers.push(
      'cut',
      { status: 502, body: '<html>' },
      { status: 404, body: '<html>' },
      { status: 503, headers: { 'retry-after': '4' } },
    );
    server.breakStreams();
    server.send(server.last, bytes(1));
    await one.until('message 1');
    expect(one.world.waits.filter((ms) => [187.5, 375, 750, 1500, 4000].includes(ms))).toEqual([187.5, 375, 750, 1500, 4000]);
    // It was a good one: the pauses begin anew.
    server.breakStreams();
    one.world.waits.length = 0;
    server.send(server.last, bytes(2));
    await one.until('message 2');
    expect(one.world.waits[0]).toBe(187.5);
  });

  test('for resumeMs, then 1006', async () => {
    const one = await connected(50);
    const begunMs = one.world.nowMs();
    server.resumeAnswers.push(...Array.from({ length: 200 }, () => 'cut' as const));
    server.breakStreams();
    await one.until('close');
    expect(one.events).toEqual(['open', 'error', 'close 1006 unclean the stream broke']);
    expect(one.world.nowMs() - begunMs).toBeGreaterThan(30_000);
  });

  test('also where each lives only for a moment', async () => {
    server.resumeMs = 2000;
    const one = await connected(20);
    const breaking = setInterval(() => server.breakStreams(), 5);
    await one.until('close 1006');
    clearInterval(breaking);
  });

  test('is one that was silent for 2.5 keep-alives', async () => {
    server.keepAliveMs = 1000;
    const one = await connected(10);
    await expect.poll(() => resumes()[0]).toBe(`GET /sse?session=${server.last.id}&after=0`);
    expect(one.world.waits).toContain(2500);
  });

  test('is one with a hole in its numbers; what came already is not delivered again', async () => {
    const one = await connected();
    server.send(server.last, bytes(1));
    await one.until('message 1');
    const { stream } = server.last;
    stream!.write('id: 1\ndata: AQ==\n\n');
    server.last.stream = undefined;
    server.send(server.last, bytes(2));
    stream!.write('id: 3\ndata: Aw==\n\n');
    server.last.kept.push({ n: 3, text: 'id: 3\ndata: Aw==\n\n' });
    await one.until('message 3');
    expect(one.events).toEqual(['open', 'message 1', 'message 2', 'message 3']);
    expect(resumes()).toEqual([`GET /sse?session=${server.last.id}&after=1`]);
  });

  test('is not one with an event that came already', async () => {
    const one = await connected();
    server.send(server.last, bytes(1));
    server.last.stream!.write(server.last.kept[0]!.text);
    server.send(server.last, bytes(2));
    await one.until('message 2');
    expect(one.events).toEqual(['open', 'message 1', 'message 2']);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(resumes()).toEqual([]);
  });

  test('has an event that cannot be read: 1006, and no more tries', async () => {
    const one = await connected();
    server.last.stream!.write('id: 1\ndata: !!!\n\n');
    await one.until('close');
    expect(one.events.at(-1)).toBe('close 1006 unclean an event cannot be read');
    expect(resumes()).toEqual([]);
  });
});

describe('[CL42] the end of a session', () => {
  test('by a close event: clean, with its code and reason', async () => {
    const one = await connected();
    server.send(server.last, bytes(1));
    server.close(server.last, 4403, 'Forbidden');
    await one.until('close');
    expect(one.events).toEqual(['open', 'message 1', 'close 4403 clean Forbidden']);
    expect(resumes()).toEqual([]);
  });

  test('found out by a resume', async () => {
    const one = await connected();
    server.last.over = ours(410, 'session-over', 'it is over', { close: { code: 1012, reason: 'Service Restart' } });
    server.breakStreams();
    await one.until('close');
    expect(one.events).toEqual(['open', 'close 1012 clean Service Restart']);
  });

  test('unknown by now: 1006', async () => {
    const one = await connected();
    server.sessions.length = 0;
    server.breakStreams();
    one.socket.send(bytes(1));
    await one.until('close');
    expect(one.events).toEqual(['open', 'error', 'close 1006 unclean there is no such session']);
  });
});
