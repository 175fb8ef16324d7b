/** The value below which the share `of` (0..1) of the samples lies; NaN without samples. */
export function quantile(samples: readonly number[], of: number): number {
  if (samples.length === 0) return Number.NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * of))]!;
}

/** `p50 / p99 ms, max (samples)`. */
export function latency(samples: readonly number[]): string {
  if (samples.length === 0) return 'no samples';
  const [p50, p99, max] = [quantile(samples, 0.5), quantile(samples, 0.99), Math.max(...samples)].map((ms) => ms.toFixed(1));
  return `p50 ${p50}, p99 ${p99}, max ${max} ms (${samples.length})`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

export interface Bound {
  readonly what: string;
  readonly measured: string;
  /** What is asked for, in words. */
  readonly asked: string;
  readonly holds: boolean;
}

/** A Markdown table, so that it can be pasted into docs/reliability.md as it is. */
export function boundsTable(bounds: readonly Bound[]): string {
  const rows = bounds.map(({ what, measured, asked, holds }) => `| ${what} | ${measured} | ${asked} | ${holds ? 'holds' : 'BROKEN'} |`);
  return ['| what | measured | bound | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
