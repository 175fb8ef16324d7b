import type { Second } from '../result.ts';

/** A stretch of seconds in which the scenario did one thing. */
export interface Phase {
  readonly name: string;
  /** Seconds; `to` is where the next one begins. */
  readonly from: number;
  readonly to: number;
}

/** A second is written down when it is over: it reaches from the one before to its `at`. */
export function phasesOf(series: readonly Second[]): Phase[] {
  const phases: { name: string; from: number; to: number }[] = [];
  let from = 0;
  for (const { at, phase } of series) {
    const last = phases.at(-1);
    if (last?.name === phase) last.to = at;
    else phases.push({ name: phase, from, to: at });
    from = at;
  }
  return phases;
}
