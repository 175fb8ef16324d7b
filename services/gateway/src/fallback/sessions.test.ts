import { beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../connection.ts';
import type { ConnectionHandler } from '../connection-world.ts';
import type { EventStream, Session, StreamEvents } from './session.ts';
import { Sessions, type SessionsLimits } from './sessions.ts';
import { Topics } from './topics.ts';

const limits: SessionsLimits = {
  unsentBytesMax: 4_000_000,
  keptBytesMax: 400_000,
  pushesPerSecond: 10,
  resumeMs: 30_000,
  unconfirmedMs: 60_000,
  sessionsMax: 3,
  pushBytesMax: 1_000_000,
  keepAliveMs: 15_000,
};

/** A client's connection that takes what it is told to. */
class TestStream implements EventStream {
  readonly events: StreamEvents;
  readonly texts: string[] = [];
  unsentBytes = 0;
  state: 'open' | 'ended' | 'cut' = 'open';
  takes = true;

  constructor(events: StreamEvents) {
    this.events = events;
  }

  write(text: string): void {
    this.texts.push(text);
    if (!this.takes) this.unsentBytes += text.length;
  }

  end(): void {
    this.state = 'ended';
  }

  cut(): void {
    this.state = 'cut';
  }

  /** The connection takes all, and goes on to. */
  drain(): void {
    this.takes = true;
    this.unsentBytes = 0;
    this.events.drained();
  }

  /** Frames by event number, as text. */
  get heard(): [number, string[]][] {
    return this.texts.flatMap((text) => {
      const [, id, data] = /^id: (\d+)\ndata: (.*)\n\n$/.exec(text) ?? [];
      return id === undefined || data === undefined
        ? []
        : [[Number(id), data.split(' ').map((frame) => Buffer.from(frame, 'base64').toString())] as [number, string[]]];
    });
  }
}

let nowMs = 0;
let ticks: (() => void)[] = [];
let frames: string[] = [];
let drained = 0;
let left: unknown[] = [];
let failures: unknown[] = [];
let onFrame: (text: string, session: Session) => void = () => {};
let sessions: Sessions;
let topics: Topics;
let sockets: string[] = [];

beforeEach(() => {
  [nowMs, ticks, frames, drained, left, failures, sockets] = [1_000, [], [], 0, [], [], []];
  onFrame = () => {};
  topics = new Topics();
  let ids = 0;
  sessions = new Sessions(limits, {
    topics,
    nowMs: () => nowMs,
    soon: (run) => void ticks.push(run),
    newId: () => `g~i~${ids++}`,
    publishToSockets: (topic, frame) => void sockets.push(`${topic} ${Buffer.from(frame).toString()}`),
    failed: (error) => void failures.push(error),
  });
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const body = (...texts: string[]): Uint8Array => Buffer.concat(texts.flatMap((text) => [Buffer.from([text.length]), Buffer.from(text)]));

function endTick(): void {
  for (const run of ticks.splice(0)) run();
}

function opened(): { session: Session; stream: TestStream } {
  let stream: TestStream | undefined;
  const session = sessions.open({
    begin: (_, events) => (stream = new TestStream(events)),
    connect: (socket) => {
      const connection = new Connection(1, socket, 1_000_000);
      const handler: ConnectionHandler = {
        connection,
        frame: (frame) => {
          frames.push(Buffer.from(frame).toString());
          onFrame(Buffer.from(frame).toString(), session);
        },
        drained: () => void (drained += 1),
        closed: () => {},
        keepAlive: () => {},
      };
      return handler;
    },
    left: (handler) => void left.push(handler),
    abused: () => {},
  });
  return { session, stream: stream! };
}

function resume(session: Session, after: number): TestStream | number {
  let stream: TestStream | undefined;
  const refused = sessions.resume(session.id, after, (events) => (stream = new TestStream(events)));
  return refused ? refused.status : stream!;
}

const push = (session: Session, n: number, content: Uint8Array = body(), more: { seen?: number; close?: number } = {}): number =>
  sessions.push(session.id, { n, seen: more.seen, close: more.close, body: content })?.status ?? 204;

describe('events', () => {
  test('[GW41] frames of a tick leave in one event, in order; bytes may be reused after the call', () => {
    const { session, stream } = opened();
    const reused = bytes('one');
    session.cork(() => session.send(reused));
    reused.fill(0);
    session.send(bytes('two'));
    expect(stream.heard).toEqual([]);
    endTick();
    session.send(bytes('three'));
    endTick();
    expect(stream.heard).toEqual([
      [1, ['one', 'two']],
      [2, ['three']],
    ]);
  });

  test('[GW40] a topic: one encoding for all sessions, the publisher left out, sockets too', () => {
    const all = [opened(), opened(), opened()];
    for (const { session } of all) session.subscribe('t');
    all[0]!.session.publishToOthers('t', bytes('hello'));
    topics.publish('t', bytes('from a socket'));
    all[2]!.session.unsubscribe('t');
    topics.publish('t', bytes('again'));
    endTick();
    expect(all.map(({ stream }) => stream.heard.flatMap(([, texts]) => texts))).toEqual([
      ['from a socket', 'again'],
      ['hello', 'from a socket', 'again'],
      ['hello', 'from a socket'],
    ]);
    expect(sockets).toEqual(['t hello']);
  });

  test('[GW41] more than an event bears leaves as several', () => {
    const { session, stream } = opened();
    for (let i = 0; i < 6; i++) session.send(new Uint8Array(100_000));
    endTick();
    expect(stream.heard.map(([n, texts]) => [n, texts.length])).toEqual([
      [1, 2],
      [2, 2],
      [3, 2],
    ]);
  });
});

describe('pushes', () => {
  test('[GW42] are numbered; one sent again is answered alike and has no effect', () => {
    const { session } = opened();
    expect(push(session, 2, body('a'))).toBe(409);
    expect(push(session, 1, body('a', 'b'))).toBe(204);
    expect(push(session, 1, body('a', 'b'))).toBe(204);
    expect(push(session, 3, body('c'))).toBe(409);
    expect(push(session, 2, body('c'))).toBe(204);
    expect(push(session, 1, body('a', 'b'))).toBe(204);
    expect(frames).toEqual(['a', 'b', 'c']);
  });

  test('[GW42] half a frame: nothing of the body is taken, and the number is still free', () => {
    const { session } = opened();
    expect(push(session, 1, Buffer.concat([body('whole'), Buffer.from([5, 1, 2])]))).toBe(400);
    expect(push(session, 1, Buffer.concat([body('whole'), Buffer.from([0x80])]))).toBe(400);
    expect(frames).toEqual([]);
    expect(push(session, 1, body('whole'))).toBe(204);
    expect(frames).toEqual(['whole']);
  });

  test('[GW42] after a frame that ends the session none is taken; what follows hears why', () => {
    const { session, stream } = opened();
    onFrame = (text) => {
      if (text === 'bad') session.close(4401, 'what is that?');
    };
    expect(push(session, 1, body('a', 'bad', 'b'))).toBe(204);
    expect(push(session, 1, body('a', 'bad', 'b'))).toBe(204);
    expect(frames).toEqual(['a', 'bad']);
    expect(stream.texts.at(-1)).toBe('event: close\nid: 1\ndata: {"code":4401,"reason":"what is that?"}\n\n');
    expect(stream.state).toBe('ended');
    expect(left).toHaveLength(1);
    expect(sessions.push(session.id, { n: 2, seen: undefined, close: undefined, body: body('c') })).toMatchObject({
      status: 410,
      code: 'session-over',
      close: { code: 4401, reason: 'what is that?' },
    });
    expect(resume(session, 1)).toBe(410);
  });

  test('[GW42] a client that leaves: its frames are taken first', () => {
    const { session } = opened();
    expect(push(session, 1, body('last'), { close: 1000 })).toBe(204);
    expect([frames, left.length, sessions.size]).toEqual([['last'], 1, 0]);
    expect(push(session, 1, body('last'), { close: 1000 })).toBe(204);
    expect(push(session, 2)).toBe(410);
  });

  test('[GW48] more than so many a second are refused, and not taken', () => {
    const { session } = opened();
    for (let n = 1; n <= 200; n++) expect(push(session, n)).toBe(204);
    expect(push(session, 201, body('a'))).toBe(429);
    nowMs += 1_000;
    expect(push(session, 201, body('a'))).toBe(204);
    expect(frames).toEqual(['a']);
  });

  test('[GW42] an event that was never sent cannot have been received', () => {
    const { session } = opened();
    expect(push(session, 1, body('a'), { seen: 1 })).toBe(400);
    expect(resume(session, 1)).toBe(400);
    expect(frames).toEqual([]);
  });

  test('a mistake of ours while one is served ends that one', () => {
    const { session } = opened();
    onFrame = () => {
      throw new TypeError('a mistake');
    };
    expect(push(session, 1, body('a'))).toBe(204);
    expect(session.over?.close.code).toBe(1013);
    expect(failures).toHaveLength(1);
  });
});

describe('resume', () => {
  test('[GW43] goes on after what the client names, with what came meanwhile; the old stream ends', () => {
    const { session, stream } = opened();
    for (const word of ['a', 'b', 'c']) {
      session.send(bytes(word));
      endTick();
    }
    stream.events.gone();
    session.send(bytes('d'));
    endTick();
    const second = resume(session, 2) as TestStream;
    expect(second.heard).toEqual([
      [3, ['c']],
      [4, ['d']],
    ]);
    const third = resume(session, 4) as TestStream;
    expect([second.state, third.state, third.heard]).toEqual(['cut', 'open', []]);
    // The end of an old stream is noticed late.
    second.events.gone();
    session.send(bytes('e'));
    endTick();
    expect(third.heard).toEqual([[5, ['e']]]);
    // The answer to the resume was lost: the client names what it had before.
    expect((resume(session, 4) as TestStream).heard).toEqual([[5, ['e']]]);
  });

  test('[GW43] what is confirmed is not kept; who names less than that cannot go on', () => {
    const { session } = opened();
    for (const word of ['a', 'b', 'c']) {
      session.send(bytes(word));
      endTick();
    }
    expect(push(session, 1, body(), { seen: 2 })).toBe(204);
    const stream = resume(session, 2) as TestStream;
    expect(stream.heard).toEqual([[3, ['c']]]);
    // An old request that comes late does no harm.
    expect([resume(session, 1), session.isOver, stream.state]).toEqual([410, false, 'open']);
    stream.events.gone();
    expect(resume(session, 1)).toBe(410);
    expect(session.over?.close.code).toBe(1013);
  });

  test('[GW44] what was sent and not confirmed is kept up to its bound, the oldest forgotten first; the stream goes on', () => {
    const { session, stream } = opened();
    for (let i = 0; i < 20; i++) {
      session.send(new Uint8Array(30_000));
      endTick();
    }
    expect(stream.heard).toHaveLength(20);
    expect(session.bufferedBytes()).toBe(0);
    // 40 kB of base64 each.
    const again = resume(session, 12) as TestStream;
    expect(again.heard.map(([n]) => n)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
    expect(resume(session, 9)).toBe(410);
  });
});

describe('backpressure', () => {
  test('[GW44] what the connection does not take waits, and is counted; it is told when it goes down', () => {
    const { session, stream } = opened();
    stream.takes = false;
    for (let i = 0; i < 8; i++) {
      session.send(new Uint8Array(60_000));
      endTick();
    }
    const before = drained;
    // The stream is given only a little ahead.
    expect(stream.heard.length).toBeLessThan(4);
    expect(session.bufferedBytes()).toBeGreaterThan(8 * 80_000);
    stream.drain();
    expect(drained).toBeGreaterThan(before);
    expect([session.bufferedBytes(), stream.heard.length]).toEqual([0, 8]);
  });

  test('[GW44] without a stream all that is not confirmed waits; over the bound the session ends with 1013 and takes no more', () => {
    const { session, stream } = opened();
    session.send(new Uint8Array(60_000));
    endTick();
    expect(session.bufferedBytes()).toBe(0);
    stream.events.gone();
    expect(session.bufferedBytes()).toBeGreaterThan(80_000);
    for (let i = 0; i < 100; i++) session.send(new Uint8Array(60_000));
    expect(session.bufferedBytes()).toBeLessThan(limits.unsentBytesMax + 100_000);
    endTick();
    expect(session.over?.close).toEqual({ code: 1013, reason: `too slow: more than ${limits.unsentBytesMax} bytes wait to be sent` });
    expect(left).toHaveLength(1);
  });

  test('[GW44] a session that is closed gets what was sent before', () => {
    const { session, stream } = opened();
    stream.takes = false;
    for (let i = 0; i < 4; i++) session.send(new Uint8Array(60_000));
    session.send(bytes('last'));
    session.close(1012, 'restart');
    expect(stream.state).toBe('open');
    while (stream.state === 'open') stream.drain();
    expect(stream.heard.flatMap(([, texts]) => texts).at(-1)).toBe('last');
    expect(stream.texts.at(-1)).toMatch(/^event: close\nid: 3\n/);
  });
});

describe('ends', () => {
  test('[GW45] without a stream for 30 s; nobody knows it then', () => {
    const { session, stream } = opened();
    stream.events.gone();
    nowMs += 30_000;
    sessions.tick();
    expect(left).toHaveLength(0);
    nowMs += 1;
    sessions.tick();
    expect([left.length, sessions.size, push(session, 1), resume(session, 0)]).toEqual([1, 0, 404, 404]);
  });

  test('[GW45] why it ended is told for 30 s; then it is cut, too', () => {
    const { session, stream } = opened();
    stream.takes = false;
    session.send(new Uint8Array(200_000));
    session.close(4403, 'withdrawn');
    nowMs += 30_000;
    sessions.tick();
    expect([push(session, 1), stream.state]).toEqual([410, 'open']);
    nowMs += 1;
    sessions.tick();
    expect([push(session, 1), stream.state]).toEqual([404, 'cut']);
  });

  test('[GW45] what goes into a stream and is never confirmed, by a client that says nothing: the stream is dead', () => {
    const { session, stream } = opened();
    session.send(bytes('a'));
    endTick();
    nowMs += 50_000;
    push(session, 1);
    nowMs += 60_000;
    sessions.tick();
    expect(stream.state).toBe('open');
    nowMs += 1;
    sessions.tick();
    expect(stream.state).toBe('cut');
    expect((resume(session, 0) as TestStream).heard).toEqual([[1, ['a']]]);
    expect(session.isOver).toBe(false);
  });

  test('[GW45] a quiet stream is not dead', () => {
    const { session, stream } = opened();
    session.send(bytes('a'));
    endTick();
    push(session, 1, body(), { seen: 1 });
    nowMs += 3_600_000;
    sessions.tick();
    expect(stream.state).toBe('open');
  });

  test('[GW48] sessions are bounded in number', () => {
    const all = [opened(), opened(), opened()];
    expect(sessions.full()).toMatchObject({ status: 503, retryAfterS: 5 });
    all[0]!.session.close(1000, '');
    expect(sessions.full()).toBeUndefined();
  });
});
