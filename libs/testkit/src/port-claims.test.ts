import { expect, test } from 'vitest';
import { claimPort, releasePort } from './port-claims.ts';

test('[TK2][TK6] claimed ports differ and lie below the range of outgoing connections', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, claimPort));
  expect(new Set(ports).size).toBe(50);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(15_000);
  expect(Math.max(...ports)).toBeLessThan(32_768);
  for (const port of ports) releasePort(port);
});
