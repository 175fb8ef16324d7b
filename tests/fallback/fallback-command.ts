import { parseArgs } from 'node:util';
import { startCluster } from '../harness/cluster.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { latency, quantile } from '../overload/figures.ts';
import { compare, type Figures, ways } from './compare.ts';
import { crowd } from './crowd.ts';

/** `npm run fallback -- [--edits 10000]`: issue 6, Shows 2 and 3. Exit code 1 where something acknowledged was lost, or answered wrongly. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    clients: { type: 'string', default: '50' },
    edits: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '250' },
    pairs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '30' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const cluster = await startCluster({ gateways: 2, workers: 2 });
let failed = false;
try {
  const pairs = Number(values.pairs);
  say(`${pairs} writers and ${pairs} readers by each way, 5 edits/s a writer, ${values.seconds} s, two gateways in turns:`);
  const { websocket, fallback } = await compare(cluster, { pairs, editsPerSecond: 5, seconds: Number(values.seconds) });
  for (const [name, of] of [
    ['edit to acknowledgement', (figures: Figures) => figures.acknowledgedMs],
    ['edit to sight', (figures: Figures) => figures.seenMs],
  ] as const) {
    for (const way of ways) say(`  ${name}, ${way.padEnd(9)} ${latency(of({ websocket, fallback }[way]))}`);
    const ratio = (share: number): string => (quantile(of(fallback), share) / quantile(of(websocket), share)).toFixed(2);
    say(`  ${name}, fallback / websocket: p50 ${ratio(0.5)}, p99 ${ratio(0.99)}`);
  }
  for (const way of ways) {
    const { edits, upBytes, downBytes } = { websocket, fallback }[way];
    const each = (bytes: number): string => `${Math.round(bytes / edits)}`;
    say(
      `  bytes on the wire an edit, ${way.padEnd(9)} ${each(upBytes)} up, ${each(downBytes)} down (HTTP/1.1, heads included; writer and reader, presence)`,
    );
  }

  const [clients, edits, editsPerSecond] = [Number(values.clients), Number(values.edits), Number(values.rate)];
  say(
    `${clients} clients by the fallback, ${edits} edits, two gateways behind a round robin that remembers nobody, one killed in the middle:`,
  );
  const random = randomFrom(printedSeed('fallback'));
  const report = await crowd(cluster, { clients, alone: 10, documents: 5, edits, editsPerSecond, random, say: (line) => say(`  ${line}`) });
  say(
    `  killed after ${(report.killedAfterMs / 1000).toFixed(1)} s; all equal ${(report.equalAfterMs / 1000).toFixed(1)} s after the last edit`,
  );
  say(
    `  ${report.acknowledged} edits acknowledged to Hocuspocus clients, ${report.lost.length} of them lost; ${report.wronglyAnswered.length} clients answered wrongly`,
  );
  say(
    `  ${report.connections} connections of ${clients} clients; requests by port: ${[...report.requests].map(([port, count]) => `${port} ${count}`).join(', ')}`,
  );
  for (const line of [...report.lost.slice(0, 20), ...report.wronglyAnswered]) say(`  WRONG: ${line}`);
  failed = report.lost.length > 0 || report.wronglyAnswered.length > 0;
} catch (error) {
  failed = true;
  say(`${String(error)}\n${cluster.logTails()}`);
} finally {
  await cluster.kill();
}
process.exitCode = failed ? 1 : 0;
