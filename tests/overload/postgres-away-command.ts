import { parseArgs } from 'node:util';
import { startCluster } from '../harness/cluster.ts';
import { type Bound, boundsTable, latency, megabytes } from './figures.ts';
import { Load } from './load.ts';
import { type AwayResult, postgresAway } from './postgres-away.ts';

/** `npm run postgres-away -- [--minutes 5] [--acks log,database]`: Postgres killed under load, for so long; exit code 1 where a promise is broken. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    minutes: { type: 'string', default: '5' },
    acks: { type: 'string', default: 'log,database' },
    documents: { type: 'string', default: '30' },
    rate: { type: 'string', default: '200' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mib = 2 ** 20;
/** The setting below, and what acknowledgements that become due together with a Step2 may take beyond it, 64 bytes each. */
const unacknowledgedMax = mib + 64 * 1024;
/** Beyond what the log holds and the bounds of the queues: room for V8 to breathe. */
const grownMax = 128 * mib;
const bounds: Bound[] = [];
let failed = false;

function tell(acks: string, result: AwayResult): void {
  const bound = (what: string, measured: string, asked: string, holds: boolean): void =>
    void bounds.push({ what: `${acks}: ${what}`, measured, asked, holds });
  say(`  acknowledgements before: ${latency(result.quietAcks)}`);
  say(`  of edits made meanwhile: ${latency(result.awayAcks)}; ${result.acknowledgedAway} came while Postgres was away`);
  say(`  joins of open documents meanwhile: ${latency(result.joins)}`);
  for (const [id, { before, most }] of result.resident)
    say(`  ${id.padEnd(14)} ${megabytes(before)} resident before, ${megabytes(most)} at most`);
  say(
    `  backlog ${result.backlogRecords} records; unacknowledged ${megabytes(result.unacknowledgedMax)} at most; refused with 1013 ${result.refusals} times`,
  );
  if (acks === 'log') {
    bound(
      'acknowledged while Postgres was away',
      `${result.acknowledgedAway}; ${latency(result.awayAcks)}`,
      'as ever',
      Math.max(...result.awayAcks) < 5_000,
    );
    bound('clients refused', String(result.refusals), 'none', result.refusals === 0);
  } else {
    bound('acknowledged while Postgres was away', String(result.acknowledgedAway), 'none', result.acknowledgedAway === 0);
    const most = result.unacknowledgedMax;
    bound('unacknowledged, the most of a gateway', megabytes(most), `at most ${megabytes(unacknowledgedMax)}`, most <= unacknowledgedMax);
  }
  bound('acknowledged in the end', 'all', 'all', true);
  bound('in Postgres after it was back', `${(result.storedAfterMs / 1000).toFixed(1)} s`, 'everything', true);
  bound('joins of open documents', latency(result.joins), 'answered', result.joins.length > 0);
  const { cold } = result;
  if (cold)
    bound('a document to be read from Postgres', `waited, then ${Math.round(cold.servedMs)} ms`, 'waits, is not shown empty', cold.waited);
  const grown = Math.max(...[...result.resident.values()].map(({ before, most }) => most - before));
  bound('memory of any service', `${megabytes(grown)} more at most`, `at most ${megabytes(grownMax)} more`, grown <= grownMax);
  bound('other drops', String(result.otherDrops.length), 'none', result.otherDrops.length === 0);
}

for (const acks of values.acks.split(',')) {
  const cluster = await startCluster({
    gateways: 2,
    workers: 2,
    env: { WEFT_ACK_AFTER: acks, ...(acks === 'database' ? { WEFT_UNACKNOWLEDGED_BYTES_MAX: '1MiB' } : {}) },
  });
  try {
    const urls = [cluster.url(0), cluster.url(1)];
    const load = await Load.gather({
      documents: Number(values.documents),
      editsPerSecond: Number(values.rate),
      urls,
      token: await cluster.token(),
    });
    say(`WEFT_ACK_AFTER=${acks}: ${values.documents} documents, ${values.rate} edits/s, Postgres away for ${values.minutes} minutes`);
    tell(acks, await postgresAway(cluster, load, { quietMs: 10_000, awayMs: Number(values.minutes) * 60_000, cold: true }));
    load.leave();
  } catch (error) {
    failed = true;
    say(`FAILED: ${error instanceof Error ? error.stack : String(error)}\n${cluster.logTails()}`);
  }
  await cluster.kill();
}
say(`\n${boundsTable(bounds)}`);
process.exit(failed || bounds.some(({ holds }) => !holds) ? 1 : 0);
