/** What a run of a scenario found out. One of them is a line of the JSON the command writes; the report draws them. */
export interface Result {
  /** `typing`, `room`, … */
  readonly scenario: string;
  /** What was measured, as the caller calls it: `weft`, `hocuspocus`. */
  readonly candidate: string;
  readonly dialect: Dialect;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly seconds: number;
  /** The scenario's parameters, as they were in force: `documents`, `rate`, … */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** By name with unit: `updates_per_second`, `server_cpu_us_per_update`, `not_delivered`, … */
  readonly figures: Readonly<Record<string, number>>;
  /** By name: `delivery` (all), `delivery_same`, `delivery_across`, `ack`, `join`, `bystander`. */
  readonly latencies: Readonly<Record<string, Distribution>>;
  /** Second by second. */
  readonly series: readonly Second[];
  /** What should not have happened, one sentence each, at most 20; empty is good. */
  readonly troubles: readonly string[];
}

export type Dialect = 'collab' | 'yjs' | 'fallback';

/** Milliseconds. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** The whole histogram, microseconds, as HdrHistogram V2 writes it compressed, base64: distributions of several processes are added by it. */
  readonly hdr: string;
}

export interface Second {
  /** Seconds since the scenario began. */
  readonly at: number;
  /** What the scenario did: `warming`, `measured`, `settling`, `overload`, … */
  readonly phase: string;
  readonly sent: number;
  readonly delivered: number;
  readonly acknowledged: number;
  readonly connections: number;
  /** Milliseconds, of what was delivered within this second; absent when nothing was. */
  readonly p50?: number;
  readonly p99?: number;
  readonly ackP50?: number;
  readonly ackP99?: number;
  /** CPU seconds used within this second, by server process; and `loadgen`. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Resident bytes, by server process. */
  readonly rss: Readonly<Record<string, number>>;
}
