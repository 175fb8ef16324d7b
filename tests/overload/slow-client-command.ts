import { parseArgs } from 'node:util';
import { startCluster } from '../harness/cluster.ts';
import { type Bound, boundsTable, latency, megabytes, quantile } from './figures.ts';
import { type Part, slowClient } from './slow-client.ts';

/** `npm run slow-client -- [--seconds 60]`: somebody reads 1 KB/s in a busy document; exit code 1 where a bound is broken. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '100' },
    page: { type: 'string', default: '4096' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mib = 2 ** 20;
const ratioMax = 1.2;
/** WEFT_CONNECTION_HIGH_WATER, and the largest thing one look may add to it. */
const unsentMax = 3 * mib;
const grownMax = 48 * mib;

const cluster = await startCluster({ gateways: 2, workers: 2 });
const bounds: Bound[] = [];
let failed = false;
try {
  const options = {
    writers: 10,
    editsPerSecond: Number(values.rate),
    pageBytes: Number(values.page),
    warmMs: 3_000,
    quietMs: 30_000,
    slowMs: Number(values.seconds) * 1000,
    bytesPerSecond: 1024,
  };
  say(
    `10 writers, ${options.editsPerSecond} edits/s of ${options.pageBytes} bytes in one document; one reads 1 KB/s for ${values.seconds} s`,
  );
  const { before, slow, after, ...rest } = await slowClient(cluster, options);
  for (const [name, part] of Object.entries({ before, slow, after }))
    say(
      `  ${name.padEnd(6)} same gateway ${latency(part.near)}; other gateway ${latency(part.far)}; acks ${latency(part.acks)}; ` +
        `gateway ${megabytes(part.residentMax)} resident, ${megabytes(part.unsentMax)} unsent at most`,
    );
  say(`  ${megabytes(rest.writtenBytes)} were written meanwhile, ${rest.carriedBytes} bytes reached the slow one`);
  for (const drop of rest.drops) say(`  dropped: ${drop}`);
  const quiet = (of: (part: Part) => readonly number[]): number[] => [...of(before), ...of(after)];
  for (const [name, of] of [
    ['same gateway', (part: Part) => part.near],
    ['other gateway', (part: Part) => part.far],
    ['acknowledgements', (part: Part) => part.acks],
  ] as const)
    for (const share of [0.5, 0.99]) {
      const ratio = quantile(of(slow), share) / quantile(quiet(of), share);
      bounds.push({
        what: `the others, with the slow one / without: ${name}, p${share * 100}`,
        measured: ratio.toFixed(2),
        asked: `at most ${ratioMax}`,
        holds: ratio <= ratioMax,
      });
    }
  bounds.push(
    {
      what: 'gateway: unsent bytes',
      measured: megabytes(slow.unsentMax),
      asked: `at most ${megabytes(unsentMax)}`,
      holds: slow.unsentMax <= unsentMax,
    },
    {
      what: 'gateway: memory, with the slow one minus before',
      measured: megabytes(slow.residentMax - before.residentMax),
      asked: `at most ${megabytes(grownMax)}`,
      holds: slow.residentMax - before.residentMax <= grownMax,
    },
    { what: 'the slow one is equal after it recovers', measured: `${Math.round(rest.equalAfterMs)} ms`, asked: 'equal', holds: true },
    { what: 'clients dropped', measured: String(rest.drops.length), asked: 'none', holds: rest.drops.length === 0 },
  );
  say(`\n${boundsTable(bounds)}`);
} catch (error) {
  failed = true;
  say(`FAILED: ${error instanceof Error ? error.stack : String(error)}\n${cluster.logTails()}`);
}
await cluster.kill();
process.exit(failed || bounds.some(({ holds }) => !holds) ? 1 : 0);
