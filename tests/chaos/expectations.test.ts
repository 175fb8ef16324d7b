import { expect, test } from 'vitest';
import { causesOf } from './expectations.ts';
import type { FaultKind } from './faults.ts';
import type { FaultWindow } from './injector.ts';
import { leftByItself, type Sighting } from './sightings.ts';

const killed: FaultWindow = { kind: 'kill-gateway', targets: ['gateway-1'], fromMs: 10_000, untilMs: 13_000 };
const authKilled: FaultWindow = { kind: 'kill-auth', targets: ['auth-1'], fromMs: 10_000, untilMs: 13_000 };
const seen = (what: string, atMs: number, more: Partial<Sighting> = {}): Sighting => ({
  atMs,
  what,
  phase: 'open',
  client: 'client-1',
  gateway: 'gateway-1',
  detail: '',
  ...more,
});

const causeOf = (sighting: Sighting, windows: readonly FaultWindow[]): FaultKind | undefined => causesOf([sighting], windows)[0];

test('a dropped connection is explained by the death of its own gateway, then and no other time', () => {
  expect(causeOf(seen('close 1006', 10_100), [killed])).toBe('kill-gateway');
  expect(causeOf(seen('close 1006', 10_100, { gateway: 'gateway-2' }), [killed])).toBeUndefined();
  expect(causeOf(seen('close 1006', 20_000), [killed])).toBeUndefined();
  expect(causeOf(seen('close 1006', 10_100), [authKilled])).toBeUndefined();
});

test('a provider leaves by itself only soon after it was dropped or refused', () => {
  const dropped = seen('close 1006', 10_100);
  expect(causesOf([dropped, seen(leftByItself, 12_000)], [killed])).toEqual(['kill-gateway', 'kill-gateway']);
  expect(causesOf([dropped, seen(leftByItself, 40_500)], [killed])).toEqual(['kill-gateway', undefined]);
  expect(causesOf([dropped, seen(leftByItself, 12_000, { client: 'client-2' })], [killed])).toEqual(['kill-gateway', undefined]);
});

test.each(['refused', 'denied', 'document closed', 'unreadable', 'close 4401', 'close 1005', 'close 1013', 'HTTP 503'])(
  'nothing explains "%s"',
  (what) => {
    expect(causeOf(seen(what, 11_000), [killed, authKilled])).toBeUndefined();
  },
);
