import { type Bus, InProcessBus } from '@weft/bus';
import type { Peer } from '@weft/protocol';
import { createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../connection.ts';
import { Fallback } from './fallback.ts';
import { GatewayPeers } from './gateway-peers.ts';
import { PushAssembly } from './push-assembly.ts';
import type { EventStream, Session, StreamEvents } from './session.ts';

const silentLogger = createLogger({ service: 'test', level: 'fatal' });

class TestStream implements EventStream {
  readonly unsentBytes = 0;
  readonly events: StreamEvents;
  text = '';
  state: 'open' | 'ended' | 'cut' = 'open';

  constructor(events: StreamEvents) {
    this.events = events;
  }

  write(text: string): void {
    this.text += text;
  }

  end(): void {
    this.state = 'ended';
  }

  cut(): void {
    this.state = 'cut';
  }
}

let hub: InProcessBus;
let nowMs = 0;
const peers: Peer[] = [
  { id: 'a', incarnation: '1' },
  { id: 'b', incarnation: '1' },
];
let owner: Fallback;
let holder: Fallback;
let session: Session;
let received: string[];

function fallback(self: Peer, bus: Bus): Fallback {
  const made = new Fallback(
    self,
    {
      sessionsMax: 10,
      unsentBytesMax: 10_000_000,
      keptBytesMax: 1_000_000,
      pushBytesMax: 5_000_000,
      pushesPerSecond: 100,
      resumeMs: 30_000,
      unconfirmedMs: 60_000,
      keepAliveMs: 15_000,
    },
    {
      bus,
      nowMs: () => nowMs,
      soon: (run) => void setImmediate(run),
      after: (ms, run) => void setTimeout(run, ms),
      newSecret: () => 's'.repeat(22),
      failed: (error) => {
        throw error;
      },
      unreadable: (error) => {
        throw error;
      },
    },
  );
  made.run();
  return made;
}

beforeEach(() => {
  nowMs = 0;
  received = [];
  hub = new InProcessBus({ logger: silentLogger });
  [owner, holder] = [fallback(peers[0]!, hub.sibling()), fallback(peers[1]!, hub.sibling())];
  session = owner.open({
    begin: (_, events) => new TestStream(events),
    connect: (socket) => ({
      connection: new Connection(1, socket, 1_000_000),
      frame: (frame) => void received.push(Buffer.from(frame).toString('latin1')),
      drained: () => {},
      closed: () => {},
      keepAlive: () => {},
    }),
    left: () => {},
    abused: () => {},
  });
});
afterEach(() => hub.close());

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

async function held(): Promise<TestStream> {
  let stream: TestStream | undefined;
  expect(await holder.resume(session.id, 0, (events) => (stream = new TestStream(events)))).toBeUndefined();
  return stream!;
}

describe('[GW46] a stream at another gateway', () => {
  test('bears what the session sends; what the client took is known', async () => {
    const stream = await held();
    session.send(Buffer.from('hello'));
    await expect.poll(() => stream.text).toBe(`id: 1\ndata: ${Buffer.from('hello').toString('base64')}\n\n`);
    await expect.poll(() => session.bufferedBytes()).toBe(0);
  });

  test('whose client is gone is none', async () => {
    const stream = await held();
    stream.events.gone();
    session.send(Buffer.from('hello'));
    await expect.poll(() => session.bufferedBytes()).toBeGreaterThan(0);
  });

  test('is ended when the session has another', async () => {
    const stream = await held();
    const next = await held();
    await expect.poll(() => stream.state).toBe('cut');
    expect(next.state).toBe('open');
  });

  test('ends after everything when the session is over', async () => {
    const stream = await held();
    session.send(Buffer.from('last'));
    session.close(4403, 'withdrawn');
    await expect.poll(() => stream.state).toBe('ended');
    expect(stream.text).toContain('"code":4403');
  });

  test('ends when its owner is gone, and lets go of a session when its holder is', async () => {
    const stream = await held();
    holder.hearGateway(peers[0]!);
    owner.hearGateway(peers[1]!);
    for (nowMs = 0; nowMs <= 3_000; nowMs += 500) {
      // Each hears itself.
      holder.hearGateway(peers[1]!);
      owner.hearGateway(peers[0]!);
      holder.tick();
      expect(stream.state).toBe('open');
    }
    holder.tick();
    expect(stream.state).toBe('ended');
    session.send(Buffer.from('x'));
    await soon();
    owner.tick();
    expect(session.bufferedBytes()).toBeGreaterThan(0);
  });

  test('[GW47] asked for just when its gateway begins to drain, it is refused and nobody has it', async () => {
    const asked = holder.resume(session.id, 0, () => {
      throw new Error('it has begun');
    });
    holder.stopAccepting();
    expect(await asked).toMatchObject({ status: 503 });
    await soon();
    session.send(Buffer.from('x'));
    await expect.poll(() => session.bufferedBytes()).toBeGreaterThan(0);
  });
});

describe('[GW46] a push at another gateway', () => {
  test('of many messages is taken once it is whole', async () => {
    const frame = Buffer.alloc(3_500_000, 'f');
    const body = Buffer.concat([Buffer.from([0xe0, 0xcf, 0xd5, 0x01]), frame]);
    expect(await holder.push(session.id, { n: 1, seen: undefined, close: undefined, body })).toBeUndefined();
    expect(received).toEqual([frame.toString('latin1')]);
  });

  test('larger than one may be is refused by the owner, too', async () => {
    const body = new Uint8Array(5_000_001);
    expect(await holder.push(session.id, { n: 1, seen: undefined, close: undefined, body })).toMatchObject({ status: 413 });
    expect(received).toEqual([]);
  });
});

describe('[GW46] bodies in several messages', () => {
  const chunk = (transfer: number, offset: number, text: string, total = 6) => ({ transfer, offset, total, data: Buffer.from(text) });

  test('are put together; a new attempt begins anew, a part of another is lost', () => {
    const assembly = new PushAssembly(100);
    expect(assembly.add('s', chunk(1, 0, 'abc'), 0)).toBe('more');
    expect(assembly.add('s', chunk(2, 0, 'abc'), 0)).toBe('more');
    expect(assembly.add('s', chunk(1, 3, 'xyz'), 0)).toBe('lost');
    expect(assembly.add('s', chunk(2, 2, 'xyz'), 0)).toBe('lost');
    expect(assembly.add('s', chunk(2, 3, 'defg'), 0)).toBe('lost');
    expect(Buffer.from(assembly.add('s', chunk(2, 3, 'def'), 0)).toString()).toBe('abcdef');
    expect(assembly.add('s', chunk(2, 3, 'def'), 0)).toBe('lost');
  });

  test('are bounded together, and forgotten when they are not finished', () => {
    const assembly = new PushAssembly(10);
    expect(assembly.add('s', chunk(1, 0, 'abc'), 0)).toBe('more');
    expect(assembly.add('t', chunk(2, 0, 'abc'), 0)).toBe('lost');
    assembly.tick(20_001);
    expect(assembly.add('t', chunk(3, 0, 'abc'), 20_001)).toBe('more');
    expect(assembly.add('s', chunk(1, 3, 'def'), 20_001)).toBe('lost');
  });
});

describe('[GW46] which gateways are there', () => {
  const [a, self] = peers as [Peer, Peer];

  function hearingSelf(known: GatewayPeers, fromMs: number, toMs: number): void {
    for (let at = fromMs; at <= toMs; at += 500) known.hear(self, at);
  }

  test('one that was heard and is silent has gone; one never heard need not have, and is not here all the same', () => {
    const known = new GatewayPeers();
    known.hear(a, 0);
    hearingSelf(known, 0, 4_000);
    expect([known.hasGone(a, 3_000), known.hasGone(a, 3_001)]).toEqual([false, true]);
    const never = { id: 'never', incarnation: '1' };
    expect([known.hasGone(never, 9_000), known.isNotHere(never, 3_000), known.isNotHere(never, 3_001)]).toEqual([false, false, true]);
  });

  test('who hears nobody, itself neither, knows nothing of others; nor just after', () => {
    const known = new GatewayPeers();
    known.hear(a, 0);
    hearingSelf(known, 0, 1_000);
    // The bus is away, or the process stands still.
    expect([known.hasGone(a, 60_000), known.isNotHere(a, 60_000)]).toEqual([false, false]);
    hearingSelf(known, 60_000, 63_000);
    expect([known.hasGone(a, 63_000), known.hasGone(a, 63_001)]).toEqual([false, true]);
  });

  test('another life of it: the one before has gone', () => {
    const known = new GatewayPeers();
    known.hear(a, 1_000);
    known.hear({ id: 'a', incarnation: '2' }, 1_001);
    expect([known.hasGone(a, 1_002), known.hasGone({ id: 'a', incarnation: '2' }, 1_002)]).toEqual([true, false]);
  });

  test('a flood of ids is bounded', () => {
    const known = new GatewayPeers();
    for (let i = 0; i < 1_000; i++) known.hear({ id: `g${i}`, incarnation: '1' }, 0);
    known.hear(a, 500);
    hearingSelf(known, 1_000, 3_500);
    expect(known.isNotHere(a, 3_500)).toBe(true);
    known.hear(a, 3_600);
    expect(known.isNotHere(a, 3_700)).toBe(false);
  });
});
