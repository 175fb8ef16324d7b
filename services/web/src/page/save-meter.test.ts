import { expect, test } from 'vitest';

import { SaveMeter, formatTook } from './save-meter.ts';

test('edits are saved when nothing is unsynced, and the last one is timed', () => {
  const meter = new SaveMeter();
  meter.acknowledged(1, 50);
  meter.acknowledged(0, 60);
  expect(meter.counts).toEqual({ sent: 0, saved: 0, lastTookMs: undefined });
  meter.edited(100);
  meter.edited(110);
  meter.acknowledged(1, 112);
  expect(meter.counts).toEqual({ sent: 2, saved: 1, lastTookMs: undefined });
  meter.acknowledged(0, 115);
  expect(meter.counts).toEqual({ sent: 2, saved: 2, lastTookMs: 5 });
});

test('a reconnect, which makes the provider count anew, takes nothing back', () => {
  const meter = new SaveMeter();
  meter.edited(100);
  meter.acknowledged(0, 105);
  meter.acknowledged(1, 900);
  expect(meter.counts.saved).toBe(1);
});

test.each([
  [undefined, '–'],
  [0.2, '1 ms'],
  [4.4, '4 ms'],
  [12_340, '12.3 s'],
])('%s is written %j', (ms, words) => {
  expect(formatTook(ms)).toBe(words);
});
