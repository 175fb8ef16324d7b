import type { FaultWindow } from './injector.ts';
import type { Notes } from './typist.ts';

/** After a fault is healed, so long still counts as within it: clients come back, workers take over. */
const afterMs = 2_000;

export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Latencies {
  /** Under way while something was wrong. */
  readonly inside: Latency;
  readonly outside: Latency;
}

type Span = readonly [fromMs: number, untilMs: number];

/** From edit to acknowledgement. */
export function acknowledgements(notes: readonly Notes[]): Span[] {
  return notes.flatMap(({ madeMs, acknowledgedMs }) => acknowledgedMs.map((endMs, i) => [madeMs[i]!, endMs] as const));
}

export function latenciesOf(spans: readonly Span[], windows: readonly FaultWindow[]): Latencies {
  const isInside = ([startMs, endMs]: Span): boolean =>
    windows.some(({ fromMs, untilMs }) => startMs <= untilMs + afterMs && endMs >= fromMs);
  const inside: number[] = [];
  const outside: number[] = [];
  for (const span of spans) (isInside(span) ? inside : outside).push(span[1] - span[0]);
  return { inside: latencyOf(inside), outside: latencyOf(outside) };
}

function latencyOf(samples: number[]): Latency {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
