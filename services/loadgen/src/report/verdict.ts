import type { Result } from '../result.ts';
import { measurementsOf } from './measurement.ts';
import { formatNumber } from './quantity.ts';

/** The figure in which every scenario says how many updates did not reach someone they should have reached. */
export const undeliveredFigure = 'not_delivered';

/** Figures of which any but 0 is bad news. */
export const mustBeZero: ReadonlySet<string> = new Set([
  undeliveredFigure,
  'not_acknowledged',
  'genuine_lack',
  'genuine_differ',
  'lost_connections',
]);

/** What a reader must know before any figure. */
export interface Verdict {
  readonly troubles: readonly { readonly where: string; readonly trouble: string }[];
  readonly undelivered: { readonly state: 'good' | 'bad' | 'unknown'; readonly sentence: string };
}

export function verdictOf(results: readonly Result[]): Verdict {
  return {
    troubles: results.flatMap((result) => result.troubles.map((trouble) => ({ where: placeOf(result, results), trouble }))),
    undelivered: undeliveredOf(results),
  };
}

/** `typing, weft` or, where there are several rounds, `typing, weft, round 2`. */
function placeOf(result: Result, results: readonly Result[]): string {
  const measurement = measurementsOf(results).find((one) => one.results.includes(result));
  const rounds = (measurement?.results ?? [])
    .filter(({ candidate }) => candidate === result.candidate)
    .toSorted((a, b) => a.startedAt - b.startedAt);
  const round = rounds.length > 1 ? [`round ${rounds.indexOf(result) + 1}`] : [];
  return [measurement?.title ?? result.scenario, result.candidate, ...round].join(', ');
}

/** Good only if every run counted: what nobody counted may be missing. */
function undeliveredOf(results: readonly Result[]): Verdict['undelivered'] {
  const counts = results.map((result) => result.figures[undeliveredFigure]).filter((count) => count !== undefined);
  const lost = counts.reduce((sum, count) => sum + count, 0);
  const runs = `${results.length} ${results.length === 1 ? 'run' : 'runs'}`;
  const losers = results.filter((result) => (result.figures[undeliveredFigure] ?? 0) > 0).map((result) => placeOf(result, results));
  if (lost > 0)
    return { state: 'bad', sentence: `${formatNumber(lost)} not delivered, in ${losers.length} of ${runs} (${losers.join('; ')}).` };
  if (results.length === 0) return { state: 'unknown', sentence: 'There are no results.' };
  if (counts.length < results.length)
    return { state: 'unknown', sentence: `Nothing known to be undelivered, but only ${counts.length} of ${runs} counted it.` };
  return { state: 'good', sentence: `Nothing undelivered, in ${runs}.` };
}
