import { expect, onTestFailed, test } from 'vitest';
import { startCluster } from '../harness/cluster.ts';
import { Load } from './load.ts';
import { postgresAway } from './postgres-away.ts';

const mib = 2 ** 20;
const slow = { timeout: 150_000 };

async function away(env: Record<string, string>, { cold, ...load }: { editsPerSecond: number; pageBytes?: number; cold: boolean }) {
  const cluster = await startCluster({ gateways: 2, workers: 1, env });
  onTestFailed(() => console.error(cluster.logTails()));
  try {
    const people = await Load.gather({ documents: 4, urls: [cluster.url(0), cluster.url(1)], token: await cluster.token(), ...load });
    const result = await postgresAway(cluster, people, { quietMs: 1_000, awayMs: 4_000, cold });
    const made = people.clients.reduce((sum, client) => sum + client.made, 0);
    const acknowledged = people.clients.reduce((sum, client) => sum + client.acknowledged, 0);
    people.leave();
    expect(acknowledged).toBe(made);
    expect(result.joins.length).toBeGreaterThan(0);
    expect(result.otherDrops).toEqual([]);
    return result;
  } finally {
    await cluster.kill();
  }
}

test(
  'Postgres away, acks after the log: edits and acknowledgements go on, open documents take newcomers in, Postgres has everything after',
  slow,
  async () => {
    const result = await away({ WEFT_ACK_AFTER: 'log' }, { editsPerSecond: 40, cold: true });
    expect(result.acknowledgedAway).toBeGreaterThan(60);
    expect(result.refusals).toBe(0);
    expect(result.cold?.waited).toBe(true);
    expect(result.backlogRecords).toBeGreaterThan(20);
  },
);

test('Postgres away, acks after it: acknowledgements wait, over the bound 1013, nothing is lost and all come after', slow, async () => {
  const env = { WEFT_ACK_AFTER: 'database', WEFT_UNACKNOWLEDGED_BYTES_MAX: '1MiB' };
  const result = await away(env, { editsPerSecond: 40, pageBytes: 16 * 1024, cold: false });
  expect(result.acknowledgedAway).toBe(0);
  expect(result.refusals).toBeGreaterThan(0);
  expect(result.unacknowledgedMax).toBeLessThanOrEqual(mib + 64 * 1024);
});
