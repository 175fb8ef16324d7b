import type { Result } from '../result.ts';
import { parameterLabel } from './figure-name.ts';
import { groupBy } from './group-by.ts';

/** What may be compared: results of a scenario, one or more rounds a candidate. */
export interface Measurement {
  /** The scenario; where it was measured with several sets of parameters, with what tells them apart: `room, readers 1,500`. */
  readonly title: string;
  readonly results: readonly Result[];
}

/**
 * Results of the same scenario are one measurement, even if candidates need other parameters than each other. But one candidate with two sets of
 * parameters has been measured twice, not in two rounds: then each set is a measurement of its own.
 */
export function measurementsOf(results: readonly Result[]): Measurement[] {
  return [...groupBy(results, (result) => result.scenario)].flatMap(([scenario, ofScenario]) => {
    const sameForEach = [...groupBy(ofScenario, (result) => result.candidate).values()].every(
      (rounds) => new Set(rounds.map(keyOf)).size === 1,
    );
    if (sameForEach) return [{ title: scenario, results: ofScenario }];
    const telling = differingNames(ofScenario);
    return [...groupBy(ofScenario, keyOf).values()].map((same) => ({
      title: [scenario, ...telling.map((name) => told(name, same))].join(', '),
      results: same,
    }));
  });
}

/** As it is shown: numbers with separators, a dash where there is none. */
export function showParameter(value: number | string | undefined): string {
  if (value === undefined) return '–';
  return typeof value === 'number' ? value.toLocaleString('en-US') : value;
}

function keyOf({ parameters }: Result): string {
  return JSON.stringify(Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function differingNames(results: readonly Result[]): string[] {
  const names = new Set(results.flatMap((result) => Object.keys(result.parameters)));
  return [...names].filter((name) => new Set(results.map((result) => result.parameters[name])).size > 1);
}

function told(name: string, [first]: readonly Result[]): string {
  return `${parameterLabel(name)} ${showParameter(first?.parameters[name])}`;
}
