import { cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { startCluster } from '../harness/cluster.ts';
import { untilStored } from '../harness/stored-content.ts';
import { type Bound, boundsTable, latency, quantile } from './figures.ts';
import { Load } from './load.ts';
import { Takeover, type TakeoverRound } from './takeover.ts';

/** `npm run takeover -- [--rounds 12] [--seconds 8] [--documents 30] [--rate 300]`: workers and gateways taken away under load; exit code 1 where a bound is broken. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    rounds: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '8' },
    documents: { type: 'string', default: '30' },
    rate: { type: 'string', default: '300' },
    only: { type: 'string' },
    'log-level': { type: 'string', default: 'info' },
  },
});
const rounds = Number(values.rounds);
const gatewayDrainMs = 5_000;
const ackRatioMax = 1.2;
const takeoverMsMax = 2_500;
const drainMsMax = 300;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const wanted = (part: string): boolean => values.only === undefined || values.only.split(',').includes(part);
const bounds: Bound[] = [];
const bound = (what: string, measured: string, asked: string, holds: boolean): void => {
  bounds.push({ what, measured, asked, holds });
  say(`${holds ? '  ' : '! '}${what}: ${measured} (${asked})`);
};

function pooled(all: readonly TakeoverRound[], of: (round: TakeoverRound) => readonly number[]): number[] {
  return all.flatMap((round) => [...of(round)]);
}

/** The smallest and the largest p99 of a single round. */
function spread(all: readonly TakeoverRound[], of: (round: TakeoverRound) => readonly number[]): string {
  const each = all.map((round) => quantile(of(round), 0.99));
  return `${Math.min(...each).toFixed(1)} to ${Math.max(...each).toFixed(1)}`;
}

function tellAcks(what: string, all: readonly TakeoverRound[]): void {
  const [quiet, during] = [pooled(all, ({ quietAcks }) => quietAcks), pooled(all, ({ acks }) => acks)];
  const ratio = quantile(during, 0.99) / quantile(quiet, 0.99);
  say(`  acknowledgements in the seconds before a ${what}: ${latency(quiet)}; p99 of single rounds ${spread(all, (one) => one.quietAcks)}`);
  say(`  acknowledgements in the seconds after a ${what}:  ${latency(during)}; p99 of single rounds ${spread(all, (one) => one.acks)}`);
  // A drain moves work while everything goes on; what is asked of it is said below.
  if (what === 'drain') return say(`  ack p99 after a drain / before it: ${ratio.toFixed(2)}`);
  bound(`ack p99 after a ${what} / before it`, ratio.toFixed(2), `at most ${ackRatioMax}`, ratio <= ackRatioMax);
}

async function takeAway(takeover: Takeover, how: 'kill' | 'stop'): Promise<TakeoverRound[]> {
  const all: TakeoverRound[] = [];
  for (let i = 0; i < rounds; i++) {
    const round = await takeover.round(cluster.workers[i % started]!, how);
    all.push(round);
    say(
      `  ${how} ${i + 1}: ${round.documents} documents; relays again ${latency(round.relaysAgain)}; joins ${latency(round.quietJoins)} -> ${latency(round.joins)}; ` +
        `acks p99 ${quantile(round.quietAcks, 0.99).toFixed(1)} -> ${quantile(round.acks, 0.99).toFixed(1)} ms` +
        (round.leftMs === undefined ? '' : `; left after ${Math.round(round.leftMs)} ms`),
    );
  }
  return all;
}

const started = 3;
const cluster = await startCluster({
  gateways: 2,
  workers: 5,
  start: false,
  env: { WEFT_DRAIN: `${gatewayDrainMs}ms`, WEFT_LOG_LEVEL: values['log-level'] },
});
const lag = monitorEventLoopDelay({ resolution: 5 });
let failed = false;
try {
  const services = [...cluster.auth, ...cluster.persistence, ...cluster.workers.slice(0, started), ...cluster.gateways];
  for (const service of services) service.launch();
  await Promise.all(services.map((service) => service.untilReady()));
  const token = await cluster.token();
  const load = await Load.gather({
    documents: Number(values.documents),
    editsPerSecond: Number(values.rate),
    urls: [cluster.url(0), cluster.url(1)],
    token,
  });
  load.start();
  lag.enable();
  say(
    `${values.documents} documents of two people on two gateways, ${values.rate} edits/s in all, ${started} workers, ${rounds} rounds of each`,
  );
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const takeover = new Takeover(cluster, load, { token, lookMs: Number(values.seconds) * 1000 });

  if (wanted('kill')) {
    const killed = await takeAway(takeover, 'kill');
    tellAcks('kill -9', killed);
    const relays = pooled(killed, ({ relaysAgain }) => relaysAgain);
    const joins = pooled(killed, (one) => one.joins);
    bound('kill -9: relays flow again', latency(relays), `p99 < ${takeoverMsMax} ms`, quantile(relays, 0.99) < takeoverMsMax);
    bound('kill -9: joins are answered', latency(joins), `p99 < ${takeoverMsMax} ms`, quantile(joins, 0.99) < takeoverMsMax);
  }
  if (wanted('drain')) {
    const drained = await takeAway(takeover, 'stop');
    tellAcks('drain', drained);
    const relays = pooled(drained, (one) => one.relays);
    const joins = pooled(drained, (one) => one.joins);
    bound('drain: an edit made meanwhile is seen', latency(relays), `p99 < ${drainMsMax} ms`, quantile(relays, 0.99) < drainMsMax);
    bound('drain: joins are answered', latency(joins), `p99 < ${drainMsMax} ms`, quantile(joins, 0.99) < drainMsMax);
  }
  if (wanted('scale')) {
    await takeover.scale([2, 5, 2, 3]);
    say('  2 -> 5 -> 2 -> 3 workers done');
  }
  if (wanted('roll')) {
    await takeover.roll(cluster.workers.slice(0, started));
    say('  all workers restarted, one after the other');
  }
  await load.untilSynced();
  bound('failed acknowledgements, drops, refusals so far', String(load.troubles().length), 'none', load.troubles().length === 0);
  for (const trouble of load.troubles().slice(0, 10)) say(`    ${trouble}`);

  if (wanted('gateways')) {
    for (const gateway of cluster.gateways) {
      const before = load.clients.map((client) => ({ client, drops: client.drops.length, syncs: client.syncs.length }));
      const loggedMs = performance.now();
      await takeover.roll([gateway]);
      await load.untilSynced();
      const dropped = before.filter(({ client, drops }) => client.drops.length > drops);
      const drops = dropped.flatMap(({ client, drops }) => client.drops.slice(drops));
      const back = dropped.map(({ client, syncs }) => client.syncs[syncs]! - loggedMs);
      const gaps = back.toSorted((a, b) => a - b).map((at, i, all) => (i === 0 ? 0 : at - all[i - 1]!));
      const spreadMs = Math.max(...back) - Math.min(...back);
      say(
        `  ${gateway.id} drained: ${drops.length} clients closed; back over ${Math.round(spreadMs)} ms; between two of them ${latency(gaps.slice(1))}`,
      );
      const strange = drops.filter(({ code }) => code !== 1012);
      bound(`${gateway.id}: closes`, `${drops.length - strange.length} x 1012, ${strange.length} other`, 'only 1012', strange.length === 0);
      bound(
        `${gateway.id}: reconnects are spread`,
        `${Math.round(spreadMs)} ms`,
        `over at least half of ${gatewayDrainMs} ms`,
        spreadMs > gatewayDrainMs / 2,
      );
    }
    const refused = load.clients.reduce((sum, client) => sum + client.refused + client.denied, 0);
    bound('gateways restarted: edits refused', String(refused), 'none', refused === 0);
  }
  load.stop();
  await load.untilSettled();
  const made = load.clients.reduce((sum, client) => sum + client.made, 0);
  const acknowledged = load.clients.reduce((sum, client) => sum + client.acknowledged, 0);
  bound('edits acknowledged / made', `${acknowledged} / ${made}`, 'all', acknowledged === made);
  for (let i = 0; i < 5; i++) await untilStored(cluster, load.documents[i]!, load.clients[2 * i]!.doc);
  say(`  loop delay of this process: p99 ${(lag.percentile(99) / 1e6).toFixed(1)} ms, max ${(lag.max / 1e6).toFixed(1)} ms`);
  load.leave();
  say(`\n${boundsTable(bounds)}`);
} catch (error) {
  failed = true;
  const kept = join(tmpdir(), `weft-takeover-${process.pid}`);
  cpSync(cluster.folder, kept, { recursive: true });
  say(`FAILED (logs kept in ${kept}): ${error instanceof Error ? error.stack : String(error)}`);
}
await cluster.kill();
process.exit(failed || bounds.some(({ holds }) => !holds) ? 1 : 0);
