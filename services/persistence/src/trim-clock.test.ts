import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TrimClock } from './trim-clock.ts';

test('[PE8] never above the floor, never younger than asked, and in time everything behind', () => {
  const steps = fc.array(fc.record({ stepMs: fc.nat(3_000), floorLag: fc.nat(5), keepMs: fc.nat(10_000) }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const clock = new TrimClock();
      const atMs: number[] = [0];
      let trimmed = 0;
      for (const [index, { stepMs, floorLag, keepMs }] of all.entries()) {
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
        trimmed = upTo;
      }
      // Samples are a second apart: what is younger than the last one stays until there is a newer one.
      const rest = clock.trimmable(all.length, Infinity) ?? trimmed;
      expect((atMs[all.length] ?? 0) - (atMs[rest] ?? 0)).toBeLessThan(1_000);
    }),
  );
});
