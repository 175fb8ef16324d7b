import { expect, test } from 'vitest';
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from './units.ts';

test('[CF7] sizes', () => {
  expect(['0', '17', '17B', '1kB', '1KiB', '8MiB', '2GiB', '3 MB'].map(parseBytes)).toEqual([
    0, 17, 17, 1000, 1024, 8_388_608, 2_147_483_648, 3_000_000,
  ]);
  expect(['', '-1', '1.5MiB', '1mib', 'MiB', '9999999999GiB'].map(parseBytes)).toEqual(Array(6).fill(undefined));
});

test('[CF7] durations', () => {
  expect(['0', '5ms', '2s', '3m', '1h', '1d'].map(parseDurationMs)).toEqual([0, 5, 2000, 180_000, 3_600_000, 86_400_000]);
  expect(['', '5', '1.5s', '2S', 's'].map(parseDurationMs)).toEqual(Array(5).fill(undefined));
});

test('[CF7] what is formatted parses back', () => {
  for (const value of [0, 1, 999, 1024, 1536, 65_536, 8_388_608, 60_000, 86_400_000, 1500]) {
    expect(parseBytes(formatBytes(value))).toBe(value);
    expect(parseDurationMs(formatDurationMs(value))).toBe(value);
  }
});
