import { SqlWal, type Wal } from '@weft/wal';
import { createLogger } from '@weft/telemetry';
import { startPostgres, type PostgresServer } from '@weft/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useHouses } from './test-house.test-data.ts';
import { typist } from './typist.test-data.ts';

const { newHouse, postgres } = useHouses({ private: true });
/** The log stays when the documents' Postgres goes. */
let logServer: PostgresServer;
beforeAll(async () => void (logServer = await startPostgres()));
afterAll(() => logServer.stop());

async function newLog(): Promise<Wal> {
  const wal = new SqlWal({ url: await logServer.newDatabase(), logger: createLogger({ service: 'test', level: 'silent' }) });
  await wal.open();
  return wal;
}

test(
  '[PE2][PE4][PE13] Postgres killed in the middle and started again: nothing is lost, and it said that it was not ready',
  { timeout: 60_000 },
  async () => {
    const house = await newHouse();
    const wal = await newLog();
    const { encodeRecord } = await import('@weft/wal');
    const service = await house.start({}, { wal });
    const { type } = typist();
    let sequence = 0;
    const append = async (): Promise<number> => {
      const payload = { kind: 'update', update: type() } as const;
      const record = encodeRecord({ origin: 'g/1', sequence: ++sequence, entries: [{ partition: 0, document: 'a', payload }] });
      return (await wal.append(0, record)).position;
    };
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 50; i++) await append();
      await postgres().kill();
      for (let i = 0; i < 50; i++) await append();
      await expect.poll(() => service.readiness(), { timeout: 10_000 }).toMatchObject({ ok: false });
      expect(service.readiness().reasons.join()).toContain('Postgres cannot be used now');
      await postgres().start();
    }
    await expect.poll(() => house.store.floor(0).catch(() => undefined), { timeout: 20_000 }).toMatchObject({ position: 200 });
    expect((await house.load('a')).getText('t').length).toBe(200);
    await expect.poll(() => service.readiness(), { timeout: 10_000 }).toEqual({ ok: true, reasons: [] });
    await service.stop();
    await wal.close();
  },
);

test('[PE4] while Postgres answers nothing, reading stops at the bound', { timeout: 60_000 }, async () => {
  const house = await newHouse();
  const wal = await newLog();
  const { encodeRecord } = await import('@weft/wal');
  let bytesRead = 0;
  const counting: Wal = new Proxy(wal, {
    get: (target, key) => {
      if (key !== 'read') return Reflect.get(target, key, target).bind?.(target) ?? Reflect.get(target, key, target);
      return (...asked: Parameters<Wal['read']>) => {
        const reader = target.read(...asked);
        return {
          close: () => reader.close(),
          next: async () => {
            const records = await reader.next();
            bytesRead += records.reduce((sum, { bytes }) => sum + bytes.length, 0);
            return records;
          },
        };
      };
    },
  });
  const block = typist();
  const total = 64;
  for (let i = 0; i < total; i++) {
    const payload = { kind: 'update', update: block.type('y'.repeat(900_000)) } as const;
    await wal.append(0, encodeRecord({ origin: 'g/1', sequence: i + 1, entries: [{ partition: 0, document: 'a', payload }] }));
  }
  let unlock: () => void = () => undefined;
  const locked = new Promise<void>((resolve) => (unlock = resolve));
  const { identity } = await wal.state(0);
  await house.store.adoptFloor(0, { expected: undefined, floor: { identity, position: 0 } });
  const holding = house.database.transaction(async (transaction) => {
    await transaction.query('SELECT FROM weft.slice_floors WHERE slice = 0 FOR UPDATE');
    await locked;
  });
  const service = await house.start({ session: { flushBytes: 4 << 20 } }, { wal: counting });
  await expect.poll(() => bytesRead, { timeout: 10_000 }).toBeGreaterThan(8 << 20);
  const seen: number[] = [];
  await expect
    .poll(
      () => {
        seen.push(bytesRead);
        return seen.length > 20 && seen.at(-20) === bytesRead;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  // A flush under way and one filling up, each its bound and one read.
  expect(bytesRead).toBeLessThanOrEqual(2 * ((4 << 20) + (9 << 20)));
  unlock();
  await holding;
  await expect.poll(() => house.store.floor(0), { timeout: 20_000 }).toMatchObject({ position: total });
  expect((await house.load('a')).getText('t').length).toBe(total * 900_000);
  await service.stop();
  await wal.close();
});
