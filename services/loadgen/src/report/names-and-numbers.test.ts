import { expect, test } from 'vitest';
import { parameterLabel, readFigureName } from './figure-name.ts';
import { formatDuration, formatIn, formatNumber, formatRatio, scaleOf } from './quantity.ts';

test.each([
  ['server_cpu_us_per_update', 'server CPU per update', 'µs'],
  ['updates_per_second', 'updates per second', ''],
  ['not_delivered', 'not delivered', ''],
  ['loop_stall_max_ms', 'loop stall max', 'ms'],
  ['rss_bytes_per_connection', 'resident memory per connection', 'B'],
  ['bytes_per_byte', 'bytes per byte', ''],
  ['seconds_until_all_synced', 'until all synced', 's'],
  ['server_cpu_share', 'server CPU share', 'share'],
  ['join_p999_ms', 'join p99.9', 'ms'],
])('%s is "%s" in "%s"', (name, label, unit) => {
  expect(readFigureName(name)).toEqual({ label, unit });
});

test.each([
  [0, '0'],
  [0.12345, '0.123'],
  [-0.0, '0'],
  [12.34, '12.3'],
  [999.4, '999'],
  [999.6, '1,000'],
  [18_123.4, '18,123'],
])('%d is shown as %s', (value, shown) => {
  expect(formatNumber(value)).toBe(shown);
});

test('bytes of a row share the unit of the largest', () => {
  const scale = scaleOf('B', 3 * 1024 ** 2);
  expect(scale.unit).toBe('MiB');
  expect([3 * 1024 ** 2, 512 * 1024].map((bytes) => formatIn(scale, bytes))).toEqual(['3', '0.5']);
  expect(formatIn(scaleOf('share', 1), 0.856)).toBe('85.6');
  expect(scaleOf('ms', 5_000_000)).toEqual({ divisor: 1, unit: 'ms' });
});

test('ratios and durations', () => {
  expect([1, 0.666, 12.345, 1234].map(formatRatio)).toEqual(['×1.00', '×0.67', '×12.35', '×1,234']);
  expect([45, 119.6, 1800, 3900, 3601].map(formatDuration)).toEqual(['45 s', '2 min', '30 min', '1 h 5 min', '1 h 1 s']);
});

test.each([
  ['peakSeconds', 'peak seconds'],
  ['people_per_document', 'people per document'],
])('the parameter %s is "%s"', (name, label) => {
  expect(parameterLabel(name)).toBe(label);
});
