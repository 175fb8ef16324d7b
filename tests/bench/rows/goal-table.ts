import type { Result } from '@weft/loadgen';
import type { Goal, Row } from './row.ts';

const house = 'weft';

interface Line {
  readonly what: string;
  readonly ours: string;
  readonly bar: string;
  readonly goal: string;
  readonly verdict: string;
  readonly peers: string;
}

/** What came of each goal: our median and spread, the peers' beside it, and whether bar and goal are reached. `results`: their `scenario` is the row's name. */
export function goalTable(rows: readonly Row[], results: readonly Result[]): string {
  const lines = rows.flatMap((row) => {
    const ofRow = results.filter(({ scenario }) => scenario === row.name);
    return row.goals.map((goal) => lineOf(row, goal, ofRow));
  });
  const header: Line = { what: 'goal', ours: 'weft, median (spread)', bar: 'bar', goal: 'goal', verdict: '', peers: 'peers' };
  const all = [header, ...lines];
  const columns = ['what', 'ours', 'bar', 'goal', 'verdict', 'peers'] as const;
  const widths = columns.map((column) => Math.max(...all.map((line) => line[column].length)));
  return all
    .map((line) =>
      columns
        .map((column, i) => line[column].padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function lineOf(row: Row, goal: Goal, results: readonly Result[]): Line {
  const ours = valuesOf(goal, house, results);
  const scaled = scaledTo(goal, results);
  const peers = row.candidates
    .filter((name) => name !== house && name !== goal.over)
    .map((name) => [name, valuesOf(goal, name, results)] as const)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `${name} ${shown(median(values))}`);
  return {
    what: goal.what,
    ours:
      ours.length === 0
        ? 'not measured'
        : `${shown(median(ours))} (${shown(Math.min(...ours))} to ${shown(Math.max(...ours))}) ${goal.unit}`,
    bar: shown(scaled.bar),
    goal: shown(scaled.goal),
    verdict: ours.length === 0 ? '' : verdict(scaled, median(ours)),
    peers: peers.join(', '),
  };
}

function scaledTo(goal: Goal, results: readonly Result[]): Goal {
  if (!goal.scale) return goal;
  const { candidate, figure, was } = goal.scale;
  const now = results.filter((result) => result.candidate === candidate).flatMap((result) => figureOf(result, figure) ?? []);
  if (now.length === 0) return goal;
  const factor = median(now) / was;
  return { ...goal, bar: goal.bar * factor, goal: goal.goal * factor };
}

function verdict({ bar, goal, better }: Goal, value: number): string {
  const reaches = (limit: number): boolean => (better === 'lower' ? value <= limit : value >= limit);
  if (reaches(goal)) return 'goal';
  return reaches(bar) ? 'bar' : 'MISSED';
}

/** One a round; rounds of `over` are those at the same place in the order. */
function valuesOf(goal: Goal, candidate: string, results: readonly Result[]): number[] {
  const of = (name: string): number[] =>
    results.filter((result) => result.candidate === name).flatMap((result) => figureOf(result, goal.figure) ?? []);
  const values = of(candidate);
  if (goal.over === undefined) return values;
  const others = of(goal.over);
  return values.slice(0, others.length).map((value, i) => value / others[i]!);
}

function figureOf({ figures, latencies }: Result, name: string): number | undefined {
  const [latency, quantile] = name.split('.', 2);
  if (quantile === undefined) return figures[name];
  const value = latencies[latency!]?.[quantile as 'p50'];
  return typeof value === 'number' ? value : undefined;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function shown(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
