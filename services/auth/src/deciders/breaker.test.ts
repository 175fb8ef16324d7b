import { expect, test } from 'vitest';

import { Breaker } from './breaker.ts';

/** Asks at `nowMs` and lets it end as given; whether it was asked at all. */
function tried(breaker: Breaker, nowMs: number, isWell: boolean): boolean {
  const ticket = breaker.ask(nowMs);
  if (ticket === undefined) return false;
  if (isWell) breaker.succeeded(ticket);
  else breaker.failed(ticket, nowMs);
  return true;
}
const opened = () => {
  const breaker = new Breaker();
  for (let count = 0; count < 5; count++) tried(breaker, 0, false);
  return breaker;
};

test('[A43] five failures open it, four do not, nor five among more that went well', () => {
  const breaker = new Breaker();
  for (let count = 0; count < 4; count++) expect(tried(breaker, 0, false)).toBe(true);
  expect(breaker.ask(0)).toBeDefined();
  tried(breaker, 0, false);
  expect(breaker.ask(0)).toBeUndefined();

  const mixed = new Breaker();
  for (let count = 0; count < 12; count++) tried(mixed, 0, true);
  for (let count = 0; count < 9; count++) expect(tried(mixed, 0, false)).toBe(true);
  expect(mixed.ask(0)).toBeDefined();
  tried(mixed, 0, false);
  expect(mixed.ask(0)).toBeUndefined();
});

test('[A43] after a second one question goes to see, and only one', () => {
  const breaker = opened();
  expect(breaker.ask(999)).toBeUndefined();
  const probe = breaker.ask(1000);
  expect(probe).toBeDefined();
  expect(breaker.ask(1000)).toBeUndefined();
  expect(breaker.ask(100_000)).toBeUndefined();
  expect(breaker.succeeded(probe!)).toBe(true);
  for (let count = 0; count < 4; count++) expect(tried(breaker, 2000, false)).toBe(true);
  expect(breaker.ask(2000)).toBeDefined();
});

test('[A43] the pause doubles with every probe that fails, up to 30 s', () => {
  const breaker = opened();
  let nowMs = 1000;
  const pauses = Array.from({ length: 7 }, () => {
    const pauseMs = breaker.failed(breaker.ask(nowMs)!, nowMs)!;
    expect(breaker.ask(nowMs + pauseMs - 1)).toBeUndefined();
    nowMs += pauseMs;
    return pauseMs;
  });
  expect(pauses).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('[A43] an answer to a question from before it opened neither closes nor opens it', () => {
  const breaker = new Breaker();
  const [late, later] = [breaker.ask(0)!, breaker.ask(0)!];
  for (let count = 0; count < 5; count++) tried(breaker, 0, false);
  expect(breaker.succeeded(late)).toBe(false);
  expect(breaker.ask(0)).toBeUndefined();
  const probe = breaker.ask(1000)!;
  expect(breaker.failed(later, 1000)).toBeUndefined();
  expect(breaker.succeeded(probe)).toBe(true);
});
