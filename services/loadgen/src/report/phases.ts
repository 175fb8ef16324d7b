import type { Second } from '../result.ts';

/** A stretch of seconds in which the scenario did one thing. */
export interface Phase {
  readonly name: string;
  /** Seconds; `to` is where the next one begins. */
  readonly from: number;
  readonly to: number;
}

export function phasesOf(series: readonly Second[]): Phase[] {
  const phases: { name: string; from: number; to: number }[] = [];
  for (const { at, phase } of series) {
    const last = phases.at(-1);
    if (last) last.to = at;
    if (last?.name !== phase) phases.push({ name: phase, from: at, to: at + 1 });
  }
  const last = phases.at(-1);
  if (last) last.to = (series.at(-1)?.at ?? 0) + 1;
  return phases;
}
