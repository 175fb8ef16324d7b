/** What several rounds of the same measurement gave. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** Of an even number of values the mean of the two in the middle. Undefined of none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  if (min === undefined || max === undefined || low === undefined || high === undefined) return undefined;
  return { median: (low + high) / 2, min, max, rounds: sorted.length };
}

/**
 * How often the reference goes into the values. Rounds are measured in turns (A B A B) because the machine drifts, so as many rounds of both are
 * compared round by round; otherwise median by median. Undefined where the reference is 0 or absent.
 */
export function ratioTo(values: readonly number[], reference: readonly number[]): Spread | undefined {
  if (reference.includes(0)) return undefined;
  if (values.length === reference.length) return spreadOf(values.map((value, round) => value / (reference[round] ?? Number.NaN)));
  const [own, other] = [spreadOf(values), spreadOf(reference)];
  return own && other && spreadOf([own.median / other.median]);
}
