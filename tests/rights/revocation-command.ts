/**
 * `npm run revocation -- [--clients 100]`: from the call of auth's API to the sockets of people who are typing, on two gateways and two auths, each a process; first a deed every 50 ms, then all at once.
 * Fails when a client is told later than 2 s (p99), or writes after it was told.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startCluster } from '../harness/cluster.ts';
import { percentile, Revocation, revocationCluster, type Told } from './revocation.ts';

const { values } = parseArgs({ options: { clients: { type: 'string', default: '100' } } });
const clients = Number(values.clients);
if (!Number.isInteger(clients) || clients < 1) {
  process.stderr.write(`--clients is ${JSON.stringify(values.clients)}; expected a whole number from 1\n`);
  process.exit(1);
}
/** targets.md, invariant 7. */
const withinMs = 2_000;

const cluster = await startCluster(revocationCluster);
try {
  say(`${clients} clients, 10 documents, 2 gateways, 2 auths; load ${loadavg()[0]?.toFixed(1)}`);
  const rounds = [
    { name: 'every 50 ms', told: await new Revocation(cluster, { clients, documents: 10, everyMs: 50 }).run() },
    { name: 'all at once', told: await new Revocation(cluster, { clients, documents: 10, everyMs: 0 }).run() },
  ];
  say('| calls | deed | clients | p50 ms | p99 ms | longest ms | edits written after |\n| --- | --- | --- | --- | --- | --- | --- |');
  for (const { name, told } of rounds) {
    for (const deed of new Set(told.map((one) => one.deed)))
      say(
        row(
          name,
          deed,
          told.filter((one) => one.deed === deed),
        ),
      );
    say(row(name, 'all of them', told));
    if (percentile(tookOf(told), 0.99) > withinMs || told.some(({ writtenAfter }) => writtenAfter > 0)) process.exitCode = 1;
  }
} finally {
  await cluster.kill();
}

function row(calls: string, deed: string, told: readonly Told[]): string {
  const took = tookOf(told);
  const ms = (value: number): string => value.toFixed(0);
  const after = told.reduce((sum, { writtenAfter }) => sum + writtenAfter, 0);
  return `| ${calls} | ${deed} | ${told.length} | ${ms(percentile(took, 0.5))} | ${ms(percentile(took, 0.99))} | ${ms(Math.max(...took))} | ${after} |`;
}

function tookOf(told: readonly Told[]): number[] {
  return told.map(({ tookMs }) => tookMs);
}

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}
