import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type Appended,
  type AnnouncedFloor,
  type LogRecord,
  type Wal,
  WalClosed,
  WalFull,
  type WalReader,
  WalRecordTooLarge,
  WalReplaced,
  WalTrimmed,
  WalUnavailable,
} from './wal.ts';

export interface LogOptions {
  readonly slices?: number;
  readonly bytesMax?: number;
}

export interface WalHouse {
  /** A log nobody used before, on the one server. */
  freshLog(): Promise<FreshLog>;
  /** kill -9 */
  kill(): Promise<void>;
  /** Starts the killed server again, with what it had on disk. Resolves when it takes connections. */
  startAgain(): Promise<void>;
  end(): Promise<void>;
}

export interface FreshLog {
  /** A further Wal on this log, not yet opened. The suite closes it. */
  wal(options?: LogOptions): Wal;
  /** Loses the log: streams or tables are gone. */
  wipe(): Promise<void>;
  /** Keeps slice 0 as it is now. What this gives puts it back so, and appends so many records of somebody else's before anybody else can look. */
  backup(): Promise<(records: number) => Promise<void>>;
}

/** Bytes that tell who wrote them and when. */
const recordOf = (text: string, bytes = 0): Uint8Array => {
  const written = new TextEncoder().encode(text);
  const record = new Uint8Array(Math.max(bytes, written.byteLength)).fill(0x2e);
  record.set(written);
  return record;
};
const textOf = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0x2e);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
};

/** What every side of the Wal port keeps: the rules L, F and I of SPEC.md. */
export function walContract(side: string, start: () => Promise<WalHouse>): void {
  describe(`the Wal contract: ${side}`, () => {
    let house: WalHouse;
    const wals: Wal[] = [];

    beforeAll(async () => {
      house = await start();
    });
    afterEach(async () => {
      await Promise.all(wals.splice(0).map((wal) => wal.close()));
    });
    afterAll(() => house.end());

    const opened = async (log: FreshLog, options?: LogOptions): Promise<Wal> => {
      const wal = log.wal(options);
      wals.push(wal);
      await wal.open();
      return wal;
    };
    const freshWal = async (options?: LogOptions): Promise<Wal> => opened(await house.freshLog(), options);

    const readTo = async (reader: WalReader, count: number): Promise<LogRecord[]> => {
      const records: LogRecord[] = [];
      while (records.length < count) records.push(...(await reader.next()));
      return records;
    };
    const positions = (records: readonly LogRecord[]): number[] => records.map(({ position }) => position);
    const from1To = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

    /** As a gateway does: the same bytes again until they are taken. Gives up with the test. */
    const appendUntilTaken = async (wal: Wal, record: Uint8Array): Promise<Appended> => {
      for (;;) {
        try {
          return await wal.append(0, record);
        } catch (error) {
          if (!(error instanceof WalUnavailable)) throw error;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };

    test('[L1] a fresh log is empty; positions begin at 1 and grow by one; slices count apart', async () => {
      const wal = await freshWal({ slices: 2 });
      const { identity, ...empty } = await wal.state(0);
      expect(empty).toEqual({ first: 1, last: 0 });
      for (let i = 1; i <= 5; i += 1) expect(await wal.append(0, recordOf(`r${i}`))).toEqual({ identity, position: i });
      expect((await wal.append(1, recordOf('other'))).position).toBe(1);
      expect(await wal.state(0)).toEqual({ identity, first: 1, last: 5 });
      expect((await wal.state(1)).identity).not.toBe(identity);
      await expect(wal.append(2, recordOf('x'))).rejects.toBeInstanceOf(RangeError);
    });

    test('[L1] several who open a fresh log at once find one and the same', async () => {
      const log = await house.freshLog();
      const all = await Promise.all(Array.from({ length: 5 }, () => opened(log, { slices: 3 })));
      const states = await Promise.all(all.map((wal) => wal.state(2)));
      expect(new Set(states.map(({ identity }) => identity)).size).toBe(1);
    });

    test('[L2] appends at once get each its own position, and a reader finds there what was appended', async () => {
      const log = await house.freshLog();
      const [a, b] = [await opened(log), await opened(log)];
      const { identity } = await a.state(0);
      const before = Date.now();
      const taken = await Promise.all(
        from1To(60).map(async (i) => {
          const { position } = await (i % 2 ? a : b).append(0, recordOf(`r${i}`));
          return { position, text: `r${i}` };
        }),
      );
      const records = await readTo(b.read(0, 1, identity), 60);
      expect(positions(records)).toEqual(from1To(60));
      expect(records.map(({ bytes }) => textOf(bytes))).toEqual(taken.toSorted((x, y) => x.position - y.position).map(({ text }) => text));
      for (const { atMs } of records) expect(Math.abs(atMs - before)).toBeLessThan(60_000);
    });

    test('[L3] a reader begins in the middle, waits at the end, and gets what comes', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      for (const i of from1To(10)) await wal.append(0, recordOf(`r${i}`));
      const reader = wal.read(0, 7, identity);
      expect(positions(await readTo(reader, 4))).toEqual([7, 8, 9, 10]);
      const waiting = reader.next();
      await wal.append(0, recordOf('r11'));
      expect((await waiting).map(({ position, bytes }) => [position, textOf(bytes)])).toEqual([[11, 'r11']]);
      const atEnd = wal.read(0, 12, identity).next();
      await wal.append(0, recordOf('r12'));
      expect(positions(await atEnd)).toEqual([12]);
    });

    test('[L3] a reader in no hurry looks now and then, and gets all of what came, in order', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      const reader = wal.read(0, 1, identity, { everyMs: 150 });
      await wal.append(0, recordOf('r1'));
      const records = await readTo(reader, 1);
      const batches: number[] = [];
      const reading = (async () => {
        while (records.length < 101) {
          const batch = await reader.next();
          batches.push(batch.length);
          records.push(...batch);
        }
      })();
      for (let i = 2; i <= 101; i += 1) await wal.append(0, recordOf(`r${i}`));
      await reading;
      expect(positions(records)).toEqual(from1To(101));
      expect(records.map(({ bytes }) => textOf(bytes))).toEqual(from1To(101).map((i) => `r${i}`));
      // One at a time they would be a hundred.
      expect(batches.length).toBeLessThan(50);
      const waiting = reader.next();
      await wal.append(0, recordOf('later'));
      expect(positions(await waiting)).toEqual([102]);
      const last = reader.next();
      await reader.close();
      await expect(last).rejects.toBeInstanceOf(WalClosed);
    });

    test('[L3] what next gives is bounded: 30 MB come in several batches', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      const size = 1_000_000;
      for (const i of from1To(30)) await wal.append(0, recordOf(`r${i}`, size));
      const reader = wal.read(0, 1, identity);
      const seen: LogRecord[] = [];
      while (seen.length < 30) {
        const batch = await reader.next();
        expect(batch.length * size).toBeLessThanOrEqual(9 * 1024 * 1024);
        seen.push(...batch);
      }
      expect(positions(seen)).toEqual(from1To(30));
      expect(seen.every(({ bytes }) => bytes.byteLength === size)).toBe(true);
    });

    test('[L4] with many appending at once every reader sees every position once, in order, with the same bytes', async () => {
      const log = await house.freshLog();
      const [a, b, c] = [await opened(log), await opened(log), await opened(log)];
      const { identity } = await a.state(0);
      const told = new Map<number, string>();
      const readers = [a.read(0, 1, identity), b.read(0, 1, identity), c.read(0, 1, identity)];
      const reading = readers.map((reader) => readTo(reader, 240));
      await Promise.all(
        from1To(6).map(async (writer) => {
          for (const i of from1To(40)) {
            const text = `w${writer} r${i}`;
            told.set((await [a, b, c][writer % 3]!.append(0, recordOf(text))).position, text);
          }
        }),
      );
      for (const records of await Promise.all(reading)) {
        expect(positions(records)).toEqual(from1To(240));
        for (const { position, bytes } of records) expect(textOf(bytes)).toBe(told.get(position));
      }
    });

    test('[L5] a record of recordBytesMax is taken and read; one byte more is WalRecordTooLarge and not taken', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      await expect(wal.append(0, new Uint8Array(wal.recordBytesMax + 1))).rejects.toBeInstanceOf(WalRecordTooLarge);
      await wal.append(0, new Uint8Array(wal.recordBytesMax).fill(7));
      const [record] = await readTo(wal.read(0, 1, identity), 1);
      expect(record!.bytes.byteLength).toBe(wal.recordBytesMax);
      expect((await wal.state(0)).last).toBe(1);
    });

    test('[L6] a full log refuses with WalFull, takes nothing, and takes again after a trim', async () => {
      const wal = await freshWal({ bytesMax: 300_000 });
      const { identity } = await wal.state(0);
      let taken = 0;
      let refusal: unknown;
      while (!refusal) {
        await wal.append(0, recordOf(`r${taken + 1}`, 50_000)).then(
          () => (taken += 1),
          (error: unknown) => (refusal = error),
        );
      }
      expect(refusal).toBeInstanceOf(WalFull);
      expect([4, 5, 6]).toContain(taken);
      expect(await wal.state(0)).toEqual({ identity, first: 1, last: taken });
      await wal.trim(0, { identity, position: 2 });
      expect((await appendUntilTaken(wal, recordOf('after', 50_000))).position).toBe(taken + 1);
    });

    test('[T1] trim forgets up to a position, again and again; who reads there is told where the log begins', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      for (const i of from1To(10)) await wal.append(0, recordOf(`r${i}`));
      const atWork = wal.read(0, 1, identity);
      expect(positions(await readTo(atWork, 10))).toEqual(from1To(10));
      for (const position of [0, 4, 4, 2]) await wal.trim(0, { identity, position });
      expect(await wal.state(0)).toEqual({ identity, first: 5, last: 10 });
      const refusal: unknown = await wal
        .read(0, 4, identity)
        .next()
        .catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(WalTrimmed);
      expect((refusal as WalTrimmed).first).toBe(5);
      expect(positions(await readTo(wal.read(0, 5, identity), 6))).toEqual([5, 6, 7, 8, 9, 10]);
      // The reader beyond it is not disturbed.
      await wal.append(0, recordOf('r11'));
      expect(positions(await readTo(atWork, 1))).toEqual([11]);
    });

    test('[T2] a log trimmed empty, or beyond its end, goes on counting', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      for (const i of from1To(3)) await wal.append(0, recordOf(`r${i}`));
      await wal.trim(0, { identity, position: 1_000 });
      expect(await wal.state(0)).toEqual({ identity, first: 4, last: 3 });
      const reader = wal.read(0, 4, identity);
      expect((await wal.append(0, recordOf('r4'))).position).toBe(4);
      expect(positions(await readTo(reader, 1))).toEqual([4]);
    });

    test('[T3] a trim meant for another identity is WalReplaced and forgets nothing', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      await wal.append(0, recordOf('r1'));
      await expect(wal.trim(0, { identity: crypto.randomUUID(), position: 1 })).rejects.toBeInstanceOf(WalReplaced);
      expect(await wal.state(0)).toEqual({ identity, first: 1, last: 1 });
    });

    test('[I1] a log that is lost comes back under another identity, from 1; its readers are told', async () => {
      const log = await house.freshLog();
      const wal = await opened(log);
      const { identity } = await wal.state(0);
      for (const i of from1To(5)) await wal.append(0, recordOf(`r${i}`));
      const reader = wal.read(0, 1, identity);
      await readTo(reader, 5);
      const told = reader.next().catch((error: unknown) => error);
      await log.wipe();
      const again = await appendUntilTaken(wal, recordOf('anew'));
      expect(again.position).toBe(1);
      expect(again.identity).not.toBe(identity);
      expect(await wal.state(0)).toEqual({ identity: again.identity, first: 1, last: 1 });
      expect(await told).toBeInstanceOf(WalReplaced);
      await expect(wal.read(0, 1, identity).next()).rejects.toBeInstanceOf(WalReplaced);
      expect(positions(await readTo(wal.read(0, 1, again.identity), 1))).toEqual([1]);
    });

    test(
      '[I2] a log that ends before where a reader wants to begin went backwards: WalReplaced, and another identity',
      { timeout: 30_000 },
      async () => {
        const wal = await freshWal();
        const { identity } = await wal.state(0);
        await wal.append(0, recordOf('r1'));
        await expect(wal.read(0, 5, identity).next()).rejects.toBeInstanceOf(WalReplaced);
        const now = await wal.state(0);
        expect(now).toEqual({ identity: now.identity, first: 1, last: 1 });
        expect(now.identity).not.toBe(identity);
      },
    );

    describe('[I2] a log that went backwards under its identity (a backup put back) gets another one', () => {
      const tenRecordsOf = async (log: FreshLog): Promise<{ wal: Wal; identity: string; putBack: (records: number) => Promise<void> }> => {
        const wal = await opened(log);
        const { identity } = await wal.state(0);
        for (const i of from1To(5)) await wal.append(0, recordOf(`r${i}`));
        const putBack = await log.backup();
        for (const i of from1To(5)) await appendUntilTaken(wal, recordOf(`r${5 + i}`));
        return { wal, identity, putBack };
      };
      const isRenewed = async (wal: Wal, identity: string, texts: readonly string[]): Promise<void> => {
        const now = await wal.state(0);
        expect(now).toEqual({ identity: now.identity, first: 1, last: texts.length });
        expect(now.identity).not.toBe(identity);
        const held = await readTo(wal.read(0, 1, now.identity), texts.length);
        expect(held.map(({ bytes }) => textOf(bytes))).toEqual(texts);
        await expect(wal.trim(0, { identity, position: 2 })).rejects.toBeInstanceOf(WalReplaced);
        // Records of before are forgotten like any others.
        await wal.trim(0, { identity: now.identity, position: 2 });
        expect((await wal.state(0)).first).toBe(3);
        await wal.trim(0, { identity: now.identity, position: texts.length });
        expect(await wal.state(0)).toEqual({ identity: now.identity, first: texts.length + 1, last: texts.length });
      };
      const texts = (count: number, ...more: string[]): string[] => [...from1To(count).map((i) => `r${i}`), ...more];

      test('found by an append that is not further than one before', { timeout: 60_000 }, async () => {
        const { wal, identity, putBack } = await tenRecordsOf(await house.freshLog());
        await putBack(0);
        const appended = await appendUntilTaken(wal, recordOf('again'));
        expect(appended.position).toBe(6);
        expect(appended.identity).not.toBe(identity);
        await isRenewed(wal, identity, texts(5, 'again'));
      });

      test('found by a reader that was further', { timeout: 60_000 }, async () => {
        const log = await house.freshLog();
        const { identity, putBack } = await tenRecordsOf(log);
        const other = await opened(log);
        const reader = other.read(0, 1, identity);
        await readTo(reader, 10);
        const told = reader.next().catch((error: unknown) => error);
        await putBack(0);
        expect(await told).toBeInstanceOf(WalReplaced);
        await isRenewed(other, identity, texts(5));
      });

      test('found by a reader also when it grew again before the reader looked', { timeout: 60_000 }, async () => {
        const log = await house.freshLog();
        const { identity, putBack } = await tenRecordsOf(log);
        const other = await opened(log);
        const reader = other.read(0, 1, identity);
        await readTo(reader, 10);
        const told = reader.next().catch((error: unknown) => error);
        await putBack(8);
        expect(await told).toBeInstanceOf(WalReplaced);
        await isRenewed(other, identity, texts(5, ...from1To(8).map((i) => `other ${i}`)));
      });

      test('a reader under the old identity that was not further learns it with the next record', { timeout: 60_000 }, async () => {
        const log = await house.freshLog();
        const { wal, identity, putBack } = await tenRecordsOf(log);
        await putBack(0);
        const late = await opened(log);
        const reader = late.read(0, 1, identity);
        expect(positions(await readTo(reader, 5))).toEqual(from1To(5));
        const told = reader.next().then(
          async (records) => (expect(positions(records)).toEqual([6]), reader.next()),
          (error: unknown) => Promise.reject(error as Error),
        );
        const refused = expect(told).rejects.toBeInstanceOf(WalReplaced);
        const { identity: renewed } = await appendUntilTaken(wal, recordOf('again'));
        await wal.append(0, recordOf('and again'));
        await refused;
        expect(renewed).not.toBe(identity);
      });
    });

    test('[F1] an announced floor reaches every listener of its slice, until it is removed', async () => {
      const log = await house.freshLog();
      const [a, b] = [await opened(log, { slices: 2 }), await opened(log, { slices: 2 })];
      const { identity } = await a.state(0);
      const heard: AnnouncedFloor[] = [];
      let enough = (): void => undefined;
      const stop = b.onFloor(0, (floor) => {
        heard.push(floor);
        enough();
      });
      // Announcements may be lost, also because the listener has only begun: announce until one is heard.
      const announceUntil = async (slice: number, position: number, told: Promise<unknown>): Promise<unknown> => {
        const again = setInterval(() => a.announceFloor(slice, { identity, position, committed: position + 3 }), 50);
        const result = await told;
        clearInterval(again);
        return result;
      };
      await announceUntil(0, 41, new Promise<void>((resolve) => (enough = resolve)));
      expect(heard[0]).toEqual({ identity, position: 41, committed: 44 });
      stop();
      const count = heard.length;
      a.announceFloor(0, { identity, position: 42, committed: 42 });
      const other = new Promise((resolve) => b.onFloor(1, resolve));
      expect(await announceUntil(1, 1, other)).toEqual({ identity, position: 1, committed: 4 });
      expect(heard).toHaveLength(count);
    });

    test('[L7] close ends readers with WalClosed and refuses what comes after; twice is fine', async () => {
      const wal = await freshWal();
      const { identity } = await wal.state(0);
      const waiting = wal.read(0, 1, identity).next();
      const ended = expect(waiting).rejects.toBeInstanceOf(WalClosed);
      const one = wal.read(0, 1, identity);
      const alone = expect(one.next()).rejects.toBeInstanceOf(WalClosed);
      await one.close();
      await alone;
      await Promise.all([wal.close(), wal.close()]);
      await ended;
      await expect(wal.append(0, recordOf('x'))).rejects.toBeInstanceOf(WalClosed);
      await expect(wal.state(0)).rejects.toBeInstanceOf(WalClosed);
      expect(() => wal.read(0, 1, identity)).toThrow(WalClosed);
    });

    describe('when the server goes', () => {
      test(
        '[L8] it is killed in the middle of appends: what was acknowledged is there, resent bytes may come twice, readers go on',
        { timeout: 60_000 },
        async () => {
          const log = await house.freshLog();
          const [a, b] = [await opened(log), await opened(log)];
          const { identity } = await a.state(0);
          const seen: LogRecord[] = [];
          const reader = b.read(0, 1, identity);
          const told = new Map<number, string>();
          let writing = true;
          const writers = from1To(3).map(async (writer) => {
            for (let i = 1; writing || i <= 20; i += 1) {
              const text = `w${writer} r${i}`;
              const { position } = await appendUntilTaken(a, recordOf(text));
              told.set(position, text);
            }
          });
          while (seen.length < 30) seen.push(...(await reader.next()));
          await house.kill();
          await expect(b.append(0, recordOf('away'))).rejects.toBeInstanceOf(WalUnavailable);
          await house.startAgain();
          const reached = told.size + 30;
          while (seen.length < reached) seen.push(...(await reader.next()));
          writing = false;
          await Promise.all(writers);
          const { last, identity: after } = await a.state(0);
          expect(after).toBe(identity);
          while (seen.length < last) seen.push(...(await reader.next()));
          expect(positions(seen)).toEqual(from1To(last));
          for (const [position, text] of told) expect(textOf(seen[position - 1]!.bytes), `position ${position}`).toBe(text);
        },
      );

      test('[L7] close does not hang while it is away', { timeout: 60_000 }, async () => {
        const wal = await freshWal();
        const { identity } = await wal.state(0);
        const reading = expect(wal.read(0, 1, identity).next()).rejects.toBeInstanceOf(WalClosed);
        wal.onFloor(0, () => undefined);
        await house.kill();
        await expect(wal.append(0, recordOf('away'))).rejects.toBeInstanceOf(WalUnavailable);
        await wal.close();
        await reading;
        await house.startAgain();
      });

      test('[L8] a Wal that opens while it is away says WalUnavailable, and opens when it is back', { timeout: 60_000 }, async () => {
        const log = await house.freshLog();
        await house.kill();
        const wal = log.wal();
        wals.push(wal);
        await expect(wal.open()).rejects.toBeInstanceOf(WalUnavailable);
        await house.startAgain();
        await wal.open();
        expect((await wal.append(0, recordOf('r1'))).position).toBe(1);
      });
    });
  });
}
