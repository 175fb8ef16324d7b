/**
 * `npm run bench:verify -- [--seconds 4]`: what auth's say costs at the edge. A real nginx with the shipped configuration answers the same 43 bytes from one location that does nothing else, and from one that asks a real auth (process of its own,
 * WEFT_AUTH=tokens) with `auth_request` before; each request another document, as many tokens as people. In turns, so that a machine that slows down slows both.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { claimPort } from '@weft/testkit';
import { Edge } from '../edge/edge.ts';
import { startCluster } from '../harness/cluster.ts';
import { type Figures, type Load, loadHttp } from './http-load.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } });
const seconds = Number(values.seconds);
const rounds = 3;
const connections = 32;
const connectsPerSecond = 1000;
const people = 200;

/** `/noop` and `/yjs/…` answer alike; only the second asks first, exactly as the shipped location does. */
const bothLocations = (port: number): string => `
server {
    listen 127.0.0.1:${port};
    access_log off;
    keepalive_requests 1000000;
    location = /noop { empty_gif; }
    location /yjs/ {
        auth_request /_weft/verify;
        auth_request_set $bench_grant $upstream_http_x_weft_grant;
        empty_gif;
    }
    location = /_weft/verify {
        internal;
        proxy_http_version 1.1;
        proxy_pass_request_headers off;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Original-URI $request_uri;
        proxy_pass http://weft_auth/auth/verify;
    }
}`;

const cluster = await startCluster({ gateways: 0, workers: 0, persistence: 0 });
const port = await claimPort();
const auth = cluster.auth[0]!;
const edge = await Edge.start({ gateways: [port], auth: auth.port, more: bothLocations(port) });
try {
  const tokens = await Promise.all(Array.from({ length: people }, (_, i) => cluster.token({ name: `Person ${i}`, documents: 'team/*' })));
  const gated = (n: number): string => `/yjs/team/${n % 1000}?token=${tokens[n % people]}`;
  const noop = (): string => '/noop';
  const run = (target: (n: number) => string, more: Partial<Load> = {}): Promise<Figures> =>
    loadHttp({ port, target, connections, seconds, expected: 200, ...more });
  await run(gated, { seconds: 2 });

  const [bare, asking, evenly] = [[], [], []] as [Figures[], Figures[], (Figures & { authMs: number })[]];
  for (let round = 0; round < rounds; round++) {
    bare.push(await run(noop));
    asking.push(await run(gated));
    const before = cpuMs(auth.pid);
    const startMs = performance.now();
    const figures = await run(gated, { perSecond: connectsPerSecond, connections: 100 });
    evenly.push({ ...figures, authMs: ((cpuMs(auth.pid) - before) * 1000) / (performance.now() - startMs) });
  }
  const [a, b, c] = [medianOf(bare), medianOf(asking), medianOf(evenly)];
  say(
    `${connections} connections, as fast as it goes; medians of ${rounds} rounds of ${seconds} s in turns; load ${loadavg()[0]?.toFixed(1)}`,
  );
  say(`no-op location    ${line(a)}`);
  say(`asks /auth/verify ${line(b)}`);
  say(`ratio             ${(b.perSecond / a.perSecond).toFixed(3)} of the throughput, ${(b.p50Ms / a.p50Ms).toFixed(1)} times the p50`);
  say(`at ${connectsPerSecond}/s         ${line(c)}; auth takes ${medianOf(evenly).authMs.toFixed(0)} ms of CPU a second`);
} finally {
  await edge.stop();
  await cluster.kill();
}

function medianOf<F extends Figures>(figures: readonly F[]): F {
  return figures.toSorted((x, y) => x.perSecond - y.perSecond)[Math.floor(figures.length / 2)]!;
}

function line({ perSecond, p50Ms, p99Ms }: Figures): string {
  return `${perSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms`;
}

/** User and system time of a process so far; Linux counts it in hundredths of a second. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}
