import { expect, test } from 'vitest';
import { TicksSeen } from './ticks-seen.ts';

test('every tick counts once, in whatever order and however often it comes', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const seen = new TicksSeen();
    const ranges: [number, number][] = [];
    let at = 0;
    while (at < 40) {
      const length = 1 + ((seed * 7 + at * 13) % 5);
      ranges.push([at, length]);
      if ((seed + at) % 3 === 0) ranges.push([Math.max(0, at - 2), length + 2]);
      at += length;
    }
    const shuffled = ranges.map((range, i) => [((i + 1) * 7919 * seed) % 101, range] as const).toSorted(([a], [b]) => a - b);
    let counted = 0;
    for (const [, [clock, length]] of shuffled) counted += seen.add(0, clock, length);
    expect(seen.next(0), `seed ${seed}`).toBe(at);
    expect(counted, `seed ${seed}`).toBe(at);
  }
});

test('what is missing shows', () => {
  const seen = new TicksSeen();
  seen.add(3, 0, 5);
  seen.add(3, 6, 5);
  expect(seen.next(3)).toBe(5);
  expect(seen.add(3, 5, 1)).toBe(1);
  expect(seen.next(3)).toBe(11);
});
