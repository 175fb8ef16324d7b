import { expect, onTestFailed, test } from 'vitest';
import { startCluster } from '../harness/cluster.ts';
import { slowClient } from './slow-client.ts';

const mib = 2 ** 20;

test(
  'a client whose line carries 1 KB/s: the gateway keeps little for it, the others go on, and it is equal when the line is free',
  { timeout: 120_000 },
  async () => {
    const cluster = await startCluster({ gateways: 2, workers: 1, env: { WEFT_CONNECTION_HIGH_WATER: '256KiB' } });
    onTestFailed(() => console.error(cluster.logTails()));
    try {
      const result = await slowClient(cluster, {
        writers: 4,
        editsPerSecond: 40,
        pageBytes: 64 * 1024,
        warmMs: 500,
        quietMs: 500,
        slowMs: 6_000,
        bytesPerSecond: 1024,
      });
      // More than the kernel's buffers took, or it was never slow.
      expect(result.writtenBytes).toBeGreaterThan(7 * mib);
      expect(result.carriedBytes).toBeLessThan(mib);
      expect(result.slow.unsentMax).toBeGreaterThan(256 * 1024);
      expect(result.slow.unsentMax).toBeLessThan(2 * mib);
      expect(result.slow.near.length).toBeGreaterThan(50);
      expect(result.slow.far.length).toBeGreaterThan(50);
      expect(result.drops).toEqual([]);
    } finally {
      await cluster.kill();
    }
  },
);
