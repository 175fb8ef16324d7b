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
  share: 'share',
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

/** `peakSeconds` is "peak seconds". */
export function parameterLabel(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
}

/**
 * The unit is the first word that is one, but none after "per": `bytes_per_update` has none, `stall_ms` has ms. The first word of all is one only in
 * `seconds_until_…`. A share says what it is in its label, too.
 */
export function readFigureName(name: string): FigureName {
  const parts = name.split('_').filter((part) => part !== '');
  const at = parts.findIndex(
    (part, index) => (index > 0 || parts[1] === 'until') && parts[index - 1] !== 'per' && units[part] !== undefined,
  );
  const label = parts
    .filter((part, index) => index !== at || part === 'share')
    .map((part) => words[part] ?? part)
    .join(' ');
  return { label, unit: units[parts[at] ?? ''] ?? '' };
}
