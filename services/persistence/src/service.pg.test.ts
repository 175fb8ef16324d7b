import { type Flush, type FlushOutcome, Store, StoreUnavailable } from '@weft/store';
import { expect, test } from 'vitest';
import { type House, useHouses } from './test-house.test-data.ts';
import { typist } from './typist.test-data.ts';

const { newHouse } = useHouses();

const textOf = async (house: House, document: string) => (await house.load(document)).getText('t').toString();
const rowsOf = async ({ database }: House): Promise<number> =>
  Number((await database.query('SELECT count(*)::int AS n FROM weft.document_updates')).rows[0]?.['n']);
const quarantineOf = async ({ database }: House) => (await database.query('SELECT document, reason FROM weft.quarantine ORDER BY id')).rows;

test('[PE1] what the log holds comes to Postgres, combined per document, and the floor is announced', async () => {
  const house = await newHouse();
  const { append, floorAt, start, store } = house;
  const [a, b] = [typist(), typist()];
  const announced = floorAt(40);
  for (let i = 0; i < 40; i++) await append(['a', a.type()], ['b', b.type('yz')]);
  await start();
  await announced;
  expect(await textOf(house, 'a')).toBe('x'.repeat(40));
  expect(await textOf(house, 'b')).toBe('yz'.repeat(40));
  const { tail, floor } = await store.loadDocument('a', 0);
  expect(floor?.position).toBe(40);
  expect(tail.length).toBeLessThan(10);
});

test('[PE1] the floor that is announced is committed at that moment, and is announced again while nothing happens', async () => {
  const house = await newHouse();
  const { append, start, store, wal, floorAt } = house;
  const checks: Promise<void>[] = [];
  wal.onFloor(0, ({ position }) => {
    checks.push(store.floor(0).then((stored) => expect(stored?.position).toBeGreaterThanOrEqual(position)));
  });
  await start();
  const { type } = typist();
  for (let i = 0; i < 30; i++) await append(['a', type()]);
  await floorAt(30);
  await floorAt(30);
  await Promise.all(checks);
  expect(checks.length).toBeGreaterThan(1);
});

/** Postgres commits, and its answer is lost on the way. */
class AnswersLost extends Store {
  lost = 0;
  override async commitFlush(flush: Flush): Promise<FlushOutcome> {
    const outcome = await super.commitFlush(flush);
    this.lost += 1;
    if (this.lost % 2 === 1) throw new StoreUnavailable('the answer was lost');
    return outcome;
  }
}

test('[PE2] a commit whose answer was lost is not written twice', async () => {
  const house = await newHouse();
  const { append, start, floorAt, database } = house;
  const store = new AnswersLost(database);
  await start({}, { store });
  const { type } = typist();
  for (let i = 1; i <= 3; i++) {
    const position = await append(['a', type()]);
    await floorAt(position);
  }
  expect(store.lost).toBeGreaterThanOrEqual(6);
  expect(await textOf(house, 'a')).toBe('xxx');
  expect(await rowsOf(house)).toBe(3);
});

test('[PE2] stopped in the middle of anything, started again: nothing is lost', async () => {
  const house = await newHouse();
  const { append, start, floorAt } = house;
  const { type } = typist();
  let written = 0;
  for (let round = 0; round < 8; round++) {
    const service = await start({ session: { flushMs: 10 } });
    for (let i = 0; i < 15; i++) {
      await append(['a', type()]);
      written += 1;
    }
    // No drain: what is in memory is gone.
    await service.stop();
  }
  await start();
  await floorAt(written);
  expect(await textOf(house, 'a')).toBe('x'.repeat(written));
});

/** Believes to have every lease. */
class LeaseBlind extends Store {
  override async takeLease(): Promise<boolean> {
    return true;
  }
}

test('[PE3] two that both follow a slice lose nothing and write nothing twice', async () => {
  const house = await newHouse();
  const { append, start, floorAt, database } = house;
  const services = await Promise.all([1, 2].map(() => start({ session: { flushMs: 10 } }, { store: new LeaseBlind(database) })));
  const { type } = typist();
  let last = 0;
  for (let i = 0; i < 200; i++) last = await append(['a', type('ab')]);
  await floorAt(last);
  await Promise.all(services.map((service) => service.drain()));
  expect(await textOf(house, 'a')).toBe('ab'.repeat(200));
  // Applied twice an update does no harm, so the text alone would not show it: no two rows may bring the same.
  const { tail } = await house.store.loadDocument('a', 0);
  const { scanUpdate } = await import('@weft/updates');
  const brought = tail.flatMap((update) => scanUpdate(update).ranges.map(({ from, to }) => to - from));
  expect(brought.reduce((sum, length) => sum + length, 0)).toBe(400);
});

test('[PE5] an update in pieces survives a stop between its pieces', async () => {
  const house = await newHouse();
  const { appendEntries, append, start, floorAt, store } = house;
  const big = typist();
  const update = big.type('a very large paste');
  const piece = (index: number) =>
    appendEntries(
      [
        {
          partition: 0,
          document: 'big',
          payload: { kind: 'piece', pieceId: 5, index, count: 2, bytes: index === 0 ? update.slice(0, 7) : update.slice(7) },
        },
      ],
      'gateway/pieces',
    );
  const first = await start();
  await append(['small', typist().type()]);
  await piece(0);
  await append(['small', typist().type()]);
  await floorAt(1);
  await first.drain();
  await first.stop();
  expect((await store.floor(0))?.position).toBe(1);
  await start();
  await piece(1);
  await floorAt(4);
  expect(await textOf(house, 'big')).toBe('a very large paste');
});

test('[PE18] an unfinished update in pieces holds the floor, and not what is said to be committed', async () => {
  const { appendEntries, append, start, store, wal } = await newHouse();
  const announced: { position: number; committed: number }[] = [];
  wal.onFloor(0, (floor) => void announced.push(floor));
  await start();
  await appendEntries(
    [{ partition: 0, document: 'big', payload: { kind: 'piece', pieceId: 1, index: 0, count: 2, bytes: Uint8Array.of(1) } }],
    'gateway/killed',
  );
  const last = await append(['small', typist().type('safe')]);
  await expect.poll(() => announced.at(-1)?.committed, { timeout: 10_000 }).toBe(last);
  expect(announced.at(-1)?.position).toBe(0);
  expect((await store.loadDocument('small', 0)).tail).not.toEqual([]);
});

test('[PE6] what is malformed is quarantined, and everybody else is served', async () => {
  const house = await newHouse();
  const { append, start, floorAt, wal, logged } = house;
  await start();
  const good = typist();
  await append(['a', good.type()], ['a', Uint8Array.of(1, 2, 3)], ['b\0', good.type()]);
  await wal.append(0, Uint8Array.of(1, 99));
  const last = await append(['a', typist().type('y')]);
  await floorAt(last);
  expect((await textOf(house, 'a')).split('').toSorted().join('')).toBe('xy');
  expect(await quarantineOf(house)).toMatchObject([
    { document: 'a', reason: expect.stringContaining('the update is malformed') },
    { document: 'b\u{fffd}', reason: expect.stringContaining('U+0000') },
    { document: '', reason: expect.stringContaining('the record is malformed') },
  ]);
  expect(logged.filter(({ level }) => level === 'error')).toHaveLength(3);
});

test('[PE7] a log lost and made anew: an alarm, the old floor is given up, work goes on', async () => {
  const house = await newHouse();
  const { append, start, floorAt, store, database, logged } = house;
  const service = await start();
  const { type } = typist();
  for (let i = 0; i < 5; i++) await append(['a', type()]);
  await floorAt(5);
  const before = await store.floor(0);
  await database.query('DROP TABLE weft_log, weft_log_slices');
  // A gateway finds it gone, and tries again.
  const again = type();
  await expect
    .poll(
      () =>
        append(['a', again]).then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(true);
  await expect.poll(() => store.floor(0), { timeout: 10_000 }).not.toMatchObject({ identity: before?.identity });
  await floorAt(1);
  expect(await textOf(house, 'a')).toBe('x'.repeat(6));
  expect(logged.some(({ level, msg }) => level === 'error' && msg.includes('ALARM: the log was replaced'))).toBe(true);
  expect(await service.metrics.text()).toContain('weft_persistence_log_alarms_total{slice="0"} 1');
});

test('[PE7] a log trimmed beyond the floor: an alarm, and work goes on', async () => {
  const house = await newHouse();
  const { append, start, floorAt, wal, logged } = house;
  const { type } = typist();
  for (let i = 0; i < 5; i++) await append(['a', type()]);
  const { identity } = await wal.state(0);
  await wal.trim(0, { identity, position: 3 });
  await start();
  await floorAt(5);
  expect(logged.some(({ level, msg }) => level === 'error' && msg.includes('records 1 to 3 are gone'))).toBe(true);
});

test(
  '[PE8] the log is trimmed up to the floor, though nothing more is appended; and so by who comes after one that did not',
  { timeout: 40_000 },
  async () => {
    const { append, start, floorAt, wal } = await newHouse();
    const { type } = typist();
    const emptied = async (last: number): Promise<void> => {
      await floorAt(last);
      await expect.poll(() => wal.state(0), { timeout: 15_000 }).toMatchObject({ last, first: last + 1 });
    };
    const keeping = await start();
    for (let i = 0; i < 5; i++) await append(['a', type()]);
    await floorAt(5);
    await keeping.drain();
    await keeping.stop();
    const service = await start({ session: { keepMs: 0 } });
    await emptied(5);
    for (let i = 0; i < 5; i++) await append(['a', type()]);
    await emptied(10);
    await service.stop();
  },
);

test('[PE11] one follows, the other stands by and takes over when the lease is given back, or expires', async () => {
  const house = await newHouse();
  const { append, start, floorAt, store } = house;
  const { type } = typist();
  const first = await start();
  await floorAt(0);
  const second = await start();
  await expect.poll(() => second.readiness()).toEqual({ ok: true, reasons: [] });
  expect(await second.metrics.text()).toContain('weft_persistence_slice_followed{slice="0"} 0');
  await append(['a', type()]);
  await floorAt(1);
  await first.drain();
  await append(['a', type()]);
  await floorAt(2);
  // One that dies gives nothing back.
  await second.stop();
  await store.takeLease(0, { holder: 'died', leaseMs: 300 });
  await start();
  await append(['a', type()]);
  await floorAt(3);
  expect(await textOf(house, 'a')).toBe('xxx');
});

test('[PE12] asked to end, it writes what it has read and gives the lease back', async () => {
  const house = await newHouse();
  const { append, start, floorAt, store } = house;
  const { type } = typist();
  const service = await start({ session: { flushMs: 60_000 } });
  await floorAt(0);
  for (let i = 0; i < 5; i++) await append(['a', type()]);
  await expect.poll(async () => await service.metrics.text(), { timeout: 10_000 }).toContain('weft_persistence_lag_records{slice="0"} 5');
  await service.drain();
  expect(await textOf(house, 'a')).toBe('xxxxx');
  expect(await store.takeLease(0, { holder: 'next', leaseMs: 1_000 })).toBe(true);
  expect(service.readiness().ok).toBe(false);
});

test('[PE16] a value Postgres refuses is put aside, the rest of its flush is written', async () => {
  const house = await newHouse();
  const { append, start, floorAt, database } = house;
  await database.query(`ALTER TABLE weft.document_updates ADD CONSTRAINT no_large CHECK (octet_length(bytes) < 500)`);
  const refused = typist().type('y'.repeat(1_000));
  await append(['a', typist().type()], ['b', refused], ['c', typist().type()]);
  await start();
  await floorAt(1);
  expect(await textOf(house, 'a')).toBe('x');
  expect(await textOf(house, 'c')).toBe('x');
  expect(await quarantineOf(house)).toMatchObject([{ document: 'b', reason: expect.stringContaining('Postgres refused it') }]);
  const { rows } = await database.query('SELECT bytes FROM weft.quarantine');
  expect(new Uint8Array(rows[0]?.['bytes'] as Buffer)).toEqual(refused);
});

test('slices are followed independently', async () => {
  const { start, wal, floorAt, store } = await newHouse();
  const { encodeRecord } = await import('@weft/wal');
  await start({ slices: 3 });
  const arrived = [0, 1, 2].map((slice) => floorAt(1, slice));
  for (const slice of [0, 1, 2]) {
    const payload = { kind: 'update', update: typist().type() } as const;
    await wal.append(slice, encodeRecord({ origin: 'g/1', sequence: 1, entries: [{ partition: 0, document: `d${slice}`, payload }] }));
  }
  await Promise.all(arrived);
  expect((await store.loadDocument('d2', 2)).tail).toHaveLength(1);
});
