import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TrimClock } from './trim-clock.ts';

test('[PE8] never above the floor, never younger than asked, and in time everything behind', () => {
  const steps = fc.array(fc.record({ stepMs: fc.nat(3_000), floorLag: fc.nat(5), keepMs: fc.nat(10_000), succeeds: fc.boolean() }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const clock = new TrimClock();
      const atMs: number[] = [0];
      let trimmed = 0;
      for (const [index, { stepMs, floorLag, keepMs, succeeds }] of all.entries()) {
        const position = index + 1;
        const nowMs = (atMs[index] ?? 0) + stepMs;
        atMs.push(nowMs);
        clock.note(position, nowMs);
        const floor = Math.max(0, position - floorLag);
        const upTo = clock.trimmable(floor, nowMs - keepMs);
        if (upTo === undefined) continue;
        expect(upTo).toBeGreaterThan(trimmed);
        expect(upTo).toBeLessThanOrEqual(floor);
        expect(atMs[upTo]).toBeLessThanOrEqual(nowMs - keepMs);
        // Not every trim succeeds: what failed is given again, or more.
        if (!succeeds) continue;
        clock.trimmed(upTo);
        trimmed = upTo;
      }
      // A log that is full takes nothing more: what came in its last second must not wait for what comes after it.
      expect(clock.trimmable(all.length, Infinity) ?? trimmed).toBe(all.length);
    }),
  );
});
