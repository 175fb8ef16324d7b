import { expect, test } from 'vitest';
import { RecentRecords } from './recent-records.ts';

const record = (position: number, bytes = 10) => ({ position, atMs: 0, bytes: new Uint8Array(bytes) });
const positions = (records: readonly { position: number }[] | undefined) => records?.map(({ position }) => position);

test('[SW17] gives all positions asked for, or says that it no longer has them', () => {
  const recent = new RecentRecords(10, { bytesMax: 1_000_000, keepMs: 1_000 });
  for (let position = 11; position <= 20; position++) recent.push(record(position), position * 100);
  expect(positions(recent.between(10, 20))).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  expect(positions(recent.between(17, 19))).toEqual([18, 19]);
  expect(recent.between(9, 20)).toBeUndefined();
  recent.forget(2_300);
  expect(recent.between(11, 20)).toBeUndefined();
  expect(positions(recent.between(12, 14))).toEqual([13, 14]);
  recent.forget(10_000);
  expect(positions(recent.between(20, 20))).toEqual([]);
  expect(recent.bytes).toBe(0);
});

test('[SW17] is bounded in bytes, and counts more than the bytes of small records', () => {
  const recent = new RecentRecords(0, { bytesMax: 100_000, keepMs: 60_000 });
  for (let position = 1; position <= 5_000; position++) recent.push(record(position, 1), 0);
  expect(recent.bytes).toBeLessThanOrEqual(100_000);
  expect(recent.between(0, 5_000)).toBeUndefined();
  const kept = recent.between(4_900, 5_000);
  expect(kept?.length).toBe(100);
  recent.push(record(5_001, 200_000), 0);
  expect(recent.bytes).toBe(0);
});
