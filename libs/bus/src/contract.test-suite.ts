import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Bus, BusClosed, BusMessageTooLarge, BusNoResponders, BusTimeout } from './bus.ts';

export interface BusNetwork {
  /** A further bus on the same network. The suite closes it. */
  connect(): Promise<Bus>;
  end(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** What every side of the Bus port keeps: each line of the contract in bus.ts. */
export function busContract(side: string, start: () => Promise<BusNetwork>): void {
  describe(`the Bus contract: ${side}`, () => {
    let network: BusNetwork;
    const buses: Bus[] = [];
    const connect = async (): Promise<Bus> => {
      const bus = await network.connect();
      buses.push(bus);
      return bus;
    };

    beforeAll(async () => {
      network = await start();
    });
    afterEach(async () => {
      await Promise.all(buses.splice(0).map((bus) => bus.close()));
    });
    afterAll(() => network.end());

    /** Subscribes and collects; `until(n)` resolves when n messages have come. */
    const collector = async (bus: Bus, subject: string, options: { queue?: string } = {}) => {
      const got: string[] = [];
      let check = (): void => undefined;
      bus.subscribe(
        subject,
        ({ data }) => {
          got.push(text(data));
          check();
        },
        options,
      );
      await bus.flush();
      const until = (count: number): Promise<string[]> =>
        new Promise((resolve) => {
          check = () => {
            if (got.length >= count) resolve(got);
          };
          check();
        });
      return { got, until };
    };

    test('messages of one publisher on one subject arrive in order, and never from inside publish', async () => {
      const [a, b] = [await connect(), await connect()];
      const seen = await collector(b, 'order.one');
      const own = await collector(a, 'order.one');
      for (let i = 0; i < 2_000; i += 1) a.publish('order.one', bytes(String(i)));
      expect([seen.got.length, own.got.length]).toEqual([0, 0]);
      const expected = Array.from({ length: 2_000 }, (_, i) => String(i));
      expect(await seen.until(2_000)).toEqual(expected);
      expect(await own.until(2_000)).toEqual(expected);
    });

    test('what a handler publishes is delivered later, not inside the handler', async () => {
      const bus = await connect();
      const trace: string[] = [];
      const done = new Promise<void>((resolve) => {
        bus.subscribe('nest.inner', () => {
          trace.push('inner');
          resolve();
        });
        bus.subscribe('nest.outer', () => {
          trace.push('outer in');
          bus.publish('nest.inner', bytes('x'));
          trace.push('outer out');
        });
      });
      await bus.flush();
      bus.publish('nest.outer', bytes('x'));
      await done;
      expect(trace).toEqual(['outer in', 'outer out', 'inner']);
    });

    test('wildcards: * is one token, > is the rest and at least one', async () => {
      const bus = await connect();
      const star = await collector(bus, 'wild.*.end');
      const rest = await collector(bus, 'wild.>');
      const exact = await collector(bus, 'wild.a.end');
      for (const subject of ['wild.a.end', 'wild.b.end', 'wild.b.c.end', 'wild.b', 'wild', 'wilder.a.end'])
        bus.publish(subject, bytes(subject));
      await bus.flush();
      expect(await rest.until(4)).toEqual(['wild.a.end', 'wild.b.end', 'wild.b.c.end', 'wild.b']);
      expect(star.got).toEqual(['wild.a.end', 'wild.b.end']);
      expect(exact.got).toEqual(['wild.a.end']);
    });

    test('of a queue group one gets each message; others get them all', async () => {
      const [a, b, c] = [await connect(), await connect(), await connect()];
      const one = await collector(a, 'work.item', { queue: 'workers' });
      const two = await collector(b, 'work.item', { queue: 'workers' });
      const all = await collector(c, 'work.*');
      for (let i = 0; i < 300; i += 1) c.publish('work.item', bytes(String(i)));
      await all.until(300);
      await Promise.all([a.flush(), b.flush()]);
      expect(all.got).toHaveLength(300);
      expect([...one.got, ...two.got].map(Number).sort((x, y) => x - y)).toEqual(Array.from({ length: 300 }, (_, i) => i));
      expect(one.got.length).toBeGreaterThan(30);
      expect(two.got.length).toBeGreaterThan(30);
    });

    test('an unsubscribed handler hears nothing more', async () => {
      const bus = await connect();
      const all = await collector(bus, 'gone.x');
      let heard = 0;
      const subscription = bus.subscribe('gone.x', () => {
        heard += 1;
        subscription.unsubscribe();
      });
      await bus.flush();
      for (let i = 0; i < 3; i += 1) bus.publish('gone.x', bytes('x'));
      await all.until(3);
      expect(heard).toBe(1);
    });

    test('a request is answered', async () => {
      const [a, b] = [await connect(), await connect()];
      b.subscribe('ask.upper', ({ data, reply }) => reply?.(bytes(text(data).toUpperCase())));
      await b.flush();
      const answers = await Promise.all(['x', 'y', 'z'].map((word) => a.request('ask.upper', bytes(word), { timeoutMs: 5_000 })));
      expect(answers.map(text)).toEqual(['X', 'Y', 'Z']);
    });

    test('a request nobody listens to is BusNoResponders at once; one nobody answers is BusTimeout', async () => {
      const [a, b] = [await connect(), await connect()];
      await expect(a.request('ask.nobody', bytes('x'), { timeoutMs: 10_000 })).rejects.toBeInstanceOf(BusNoResponders);
      b.subscribe('ask.silent', () => undefined);
      await b.flush();
      await expect(a.request('ask.silent', bytes('x'), { timeoutMs: 50 })).rejects.toBeInstanceOf(BusTimeout);
    });

    test('a message without a request has no reply', async () => {
      const bus = await connect();
      const reply = new Promise((resolve) => {
        bus.subscribe('plain.x', (message) => resolve(message.reply));
      });
      await bus.flush();
      bus.publish('plain.x', bytes('x'));
      expect(await reply).toBeUndefined();
    });

    test('the publisher may reuse its buffer, the handler may keep its bytes', async () => {
      const [a, b] = [await connect(), await connect()];
      const kept: Uint8Array[] = [];
      const all = new Promise<void>((resolve) => {
        b.subscribe('keep.x', ({ data }) => {
          kept.push(data);
          if (kept.length === 500) resolve();
        });
      });
      await b.flush();
      const buffer = new Uint8Array(3_000);
      for (let i = 0; i < 500; i += 1) {
        buffer.fill(i % 251);
        a.publish('keep.x', buffer);
      }
      buffer.fill(255);
      await all;
      kept.forEach((data, i) =>
        expect(
          data.every((byte) => byte === i % 251),
          `message ${i}`,
        ).toBe(true),
      );
    });

    test('a message of payloadBytesMax passes, one byte more throws BusMessageTooLarge', async () => {
      const [a, b] = [await connect(), await connect()];
      const size = new Promise((resolve) => {
        b.subscribe('size.x', ({ data }) => resolve(data.byteLength));
      });
      await b.flush();
      a.publish('size.x', new Uint8Array(a.payloadBytesMax));
      expect(await size).toBe(a.payloadBytesMax);
      expect(() => a.publish('size.x', new Uint8Array(a.payloadBytesMax + 1))).toThrow(BusMessageTooLarge);
    });

    test('a handler that throws harms nobody, itself included', async () => {
      const bus = await connect();
      let calls = 0;
      bus.subscribe('throw.x', () => {
        calls += 1;
        throw new Error('a bug in a handler');
      });
      const other = await collector(bus, 'throw.x');
      for (let i = 0; i < 3; i += 1) bus.publish('throw.x', bytes('x'));
      await other.until(3);
      await bus.flush();
      expect(calls).toBe(3);
    });

    test('a subscriber that is busy for a while misses nothing and keeps the order', async () => {
      const [a, b] = [await connect(), await connect()];
      const got: number[] = [];
      const all = new Promise<void>((resolve) => {
        b.subscribe('busy.x', ({ data }) => {
          got.push(Number(text(data)));
          if (got.length % 100 === 1) for (const end = Date.now() + 20; Date.now() < end;);
          if (got.length === 1_000) resolve();
        });
      });
      await b.flush();
      for (let i = 0; i < 1_000; i += 1) a.publish('busy.x', bytes(String(i)));
      await all;
      expect(got).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    });

    test('close lets published messages out, ends subscriptions and requests, and may be called twice', async () => {
      const [a, b] = [await connect(), await connect()];
      const seen = await collector(b, 'end.x');
      let heard = 0;
      a.subscribe('end.own', () => {
        heard += 1;
      });
      a.subscribe('end.silent', () => undefined);
      await a.flush();
      const changes: boolean[] = [];
      a.onConnection((connected) => changes.push(connected));
      const asked = a.request('end.silent', bytes('x'), { timeoutMs: 10_000 });
      const refused = expect(asked).rejects.toBeInstanceOf(BusClosed);
      for (let i = 0; i < 100; i += 1) a.publish('end.x', bytes(String(i)));
      await Promise.all([a.close(), a.close()]);
      await refused;
      expect(await seen.until(100)).toHaveLength(100);
      b.publish('end.own', bytes('x'));
      await b.flush();
      expect(heard).toBe(0);
      expect([a.connected, changes]).toEqual([false, [false]]);
      a.publish('end.x', bytes('dropped'));
      await expect(a.request('end.x', bytes('x'), { timeoutMs: 100 })).rejects.toBeInstanceOf(BusClosed);
      expect(() => a.subscribe('end.x', () => undefined)).toThrow(BusClosed);
      await a.flush();
    });

    test('who asks and who answers may reuse their buffers at once', async () => {
      const [a, b] = [await connect(), await connect()];
      const answer = bytes('...');
      b.subscribe('reuse.x', ({ data, reply }) => {
        answer.set(data);
        reply!(answer);
        answer.fill(0);
      });
      await b.flush();
      const question = bytes('...');
      const answers = ['one', 'two', 'six'].map((number) => {
        question.set(bytes(number));
        return a.request('reuse.x', question, { timeoutMs: 5_000 });
      });
      question.fill(0);
      expect((await Promise.all(answers)).map(text)).toEqual(['one', 'two', 'six']);
    });

    test('a bad subject is refused, each time', async () => {
      const bus = await connect();
      for (const subject of ['', 'a..b', 'a b', '.a', 'a.*', 'a.>', '', 'a..b', 'a.*'])
        expect(() => bus.publish(subject, bytes('x')), subject).toThrow(RangeError);
      expect(() => bus.subscribe('a.>.b', () => undefined)).toThrow(RangeError);
    });
  });
}
