/** What a figure's name says: `server_cpu_us_per_update` is "server CPU per update", in µs. */
export interface FigureName {
  readonly label: string;
  /** As it is written in front of a reader; empty for a bare number. */
  readonly unit: string;
}

const units: Readonly<Record<string, string>> = {
  us: 'µs',
  ms: 'ms',
  s: 's',
  seconds: 's',
  bytes: 'B',
  kib: 'KiB',
  mib: 'MiB',
  percent: '%',
  cores: 'cores',
};

const words: Readonly<Record<string, string>> = {
  cpu: 'CPU',
  rss: 'resident memory',
  gc: 'GC',
  p999: 'p99.9',
  loadgen: 'load generator',
  hdr: 'HDR',
};

const latencies: Readonly<Record<string, string>> = {
  delivery_same: 'delivery, same gateway',
  delivery_across: 'delivery, across gateways',
  ack: 'acknowledgement',
};

export function latencyLabel(name: string): string {
  return latencies[name] ?? name.replaceAll('_', ' ');
}

/** The unit is the first word that is one, but not the first of all and none after "per": `bytes_per_update` has none, `stall_ms` has ms. */
export function readFigureName(name: string): FigureName {
  const parts = name.split('_').filter((part) => part !== '');
  const at = parts.findIndex((part, index) => index > 0 && parts[index - 1] !== 'per' && units[part] !== undefined);
  const label = parts
    .filter((_, index) => index !== at)
    .map((part) => words[part] ?? part)
    .join(' ');
  return { label, unit: units[parts[at] ?? ''] ?? '' };
}
