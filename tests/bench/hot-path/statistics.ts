/** Figures of one kind, of which most are alike and a few are far off: a machine that is shared. */
export interface Spread {
  readonly median: number;
  /** A quarter of the figures is below, a quarter above. */
  readonly low: number;
  readonly high: number;
}

/** Throws RangeError without figures. */
export function spreadOf(figures: readonly number[]): Spread {
  if (figures.length === 0) throw new RangeError('a spread of no figures: at least one is expected');
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}
