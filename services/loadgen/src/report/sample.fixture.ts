import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Distribution, Result, Second } from '../result.ts';

/** Results as a load run writes them, made up from a seed: for tests of the report, and to look at it. */
export interface SampleOptions {
  readonly scenario?: string;
  readonly candidate?: string;
  readonly round?: number;
  /** Of the measured phase; 5 of warming before, 3 of settling after. */
  readonly seconds?: number;
  /** Ms. */
  readonly latency?: number;
  /** Updates a second. */
  readonly rate?: number;
  readonly readers?: number;
  /** CPU seconds a second, by process. */
  readonly cpu?: Readonly<Record<string, number>>;
  readonly acknowledges?: boolean;
  /** A second in which everything stalls. */
  readonly spikeAt?: number;
  readonly overload?: boolean;
}

export function sampleResult(options: SampleOptions = {}): Result {
  const { scenario = 'typing', candidate = 'weft', round = 0, seconds = 60, rate = 1500, readers = 2 } = options;
  const random = seeded(`${scenario} ${candidate} ${round}`);
  const [all, ack] = [build(), build()];
  const series: Second[] = [];
  for (let at = 0; at < seconds + 8; at += 1) series.push(sampleSecond(options, at, seconds, random, all, ack));
  const acknowledges = options.acknowledges ?? true;
  const cpu = Object.values(options.cpu ?? sampleCpu).reduce((sum, share) => sum + share, 0);
  return {
    scenario,
    candidate,
    dialect: acknowledges ? 'collab' : 'yjs',
    startedAt: 1_790_000_000_000 + round * 600_000,
    seconds: seconds + 8,
    parameters: { documents: 100, people_per_document: readers + 1, rate, gateways: 2, transport: 'websocket' },
    figures: {
      updates_per_second: rate * (0.99 + random() * 0.01),
      deliveries_per_second: rate * readers * (0.99 + random() * 0.01),
      server_cpu_us_per_update: (cpu * 1e6 * (0.97 + random() * 0.06)) / rate,
      server_rss_bytes: 4e8 * (0.9 + random() * 0.2),
      loop_stall_max_ms: 4 + random() * 9,
      not_delivered: 0,
    },
    latencies: { delivery: distributionOf(all), ...(acknowledges ? { ack: distributionOf(ack) } : {}) },
    series,
    troubles: [],
  };
}

const sampleCpu = {
  'gateway-1': 0.21,
  'gateway-2': 0.2,
  'worker-1': 0.09,
  'worker-2': 0.08,
  persistence: 0.05,
  nats: 0.11,
  postgres: 0.04,
};

function sampleSecond(options: SampleOptions, at: number, seconds: number, random: () => number, all: Histogram, ack: Histogram): Second {
  const { latency = 1.5, rate = 1500, readers = 2, acknowledges = true } = options;
  const overloaded = options.overload === true && at >= 25 && at < 35;
  const phase =
    at < 5
      ? 'warming'
      : at >= seconds + 5
        ? 'settling'
        : overloaded
          ? 'overload'
          : options.overload === true && at >= 35
            ? 'recovery'
            : 'measured';
  const load = phase === 'warming' ? (at + 1) / 6 : phase === 'settling' ? 0 : overloaded ? 2 : 1;
  const slow = (at === options.spikeAt ? 40 : 1) * (overloaded ? 6 + (at - 25) : 1) * (0.9 + random() * 0.25);
  const measured = phase === 'measured';
  const values = Array.from({ length: 60 }, () => latency * slow * Math.exp(0.75 * normal(random)));
  for (const value of measured ? values : []) {
    all.recordValueWithCount(Math.round(value * 1000), 5);
    ack.recordValueWithCount(Math.round(value * 1450), 2);
  }
  const [p50, p99] = [latency * slow, latency * slow * 5.7 * (0.9 + random() * 0.3)];
  const sent = Math.round(rate * load);
  const shares = Object.entries(options.cpu ?? sampleCpu);
  return {
    at: at + 1,
    phase,
    sent,
    delivered: Math.round(sent * readers * (at === options.spikeAt ? 0.4 : 0.98 + random() * 0.03)),
    acknowledged: acknowledges ? Math.round(sent * (at === options.spikeAt ? 0.5 : 0.98 + random() * 0.03)) : 0,
    connections: 300,
    ...(sent > 0 ? { p50, p99, ...(acknowledges ? { ackP50: p50 * 1.45, ackP99: p99 * 1.3 } : {}) } : {}),
    cpu: Object.fromEntries([
      ...shares.map(([name, share]) => [name, share * (0.08 + 0.92 * load) * (0.9 + random() * 0.2)]),
      ['loadgen', 0.35 * load],
    ]),
    rss: Object.fromEntries([...shares.map(([name], index) => [name, rssOf(index, at, random)]), ['loadgen', 1.9e8]]),
  };
}

/** Climbs while it warms, then saws with the garbage collector. */
function rssOf(process: number, at: number, random: () => number): number {
  const base = [9.5e7, 9.1e7, 8e7, 7.6e7, 1.1e8, 4.2e7, 1.45e8][process % 7] ?? 8e7;
  return base * (1 - 0.25 * Math.exp(-at / 8)) + ((at * 7 + process * 13) % 40) * 2.5e5 + random() * 5e5;
}

function distributionOf(histogram: Histogram): Distribution {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000;
  const hdr = encodeIntoCompressedBase64(histogram);
  return {
    count: histogram.totalCount,
    mean: histogram.mean / 1000,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue / 1000,
    hdr,
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Mulberry32, seeded by a name. */
function seeded(name: string): () => number {
  let state = Buffer.from(name).reduce((hash, byte) => Math.imul(hash ^ byte, 16_777_619), 2_166_136_261);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
