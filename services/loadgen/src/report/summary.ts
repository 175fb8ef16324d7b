import type { Distribution, Result } from '../result.ts';
import { processesOf } from './colours.ts';
import { groupBy } from './group-by.ts';
import { latencyLabel, parameterLabel, readFigureName } from './figure-name.ts';
import { type Measurement, measurementsOf, showParameter } from './measurement.ts';
import { phasesOf } from './phases.ts';
import { formatDuration, type Scale, scaleOf } from './quantity.ts';
import { ratioTo, type Spread, spreadOf } from './spread.ts';
import { mustBeZero } from './verdict.ts';

/** Everything about one scenario that is worth a word: what tables and charts are made from. */
export interface ScenarioSummary {
  /** The scenario, and what tells it from others of its kind. */
  readonly title: string;
  /** In the order in which they first appear, the reference first. */
  readonly candidates: readonly CandidateSummary[];
  readonly reference: string | undefined;
  readonly figures: readonly Row[];
  /** By name of the latency, in ms. */
  readonly latencies: readonly { readonly name: string; readonly label: string; readonly rows: readonly Row[] }[];
  readonly parameters: readonly ParameterRow[];
  /** What was done how long, one a candidate. */
  readonly phases: readonly string[];
}

export interface CandidateSummary {
  readonly name: string;
  /** As they were run. */
  readonly rounds: readonly Result[];
}

/** A figure over all candidates. */
export interface Row {
  readonly label: string;
  /** What one process has in the figure above. */
  readonly isPart: boolean;
  readonly scale: Scale;
  /** Anything above 0 in any round is bad news, whatever the median. */
  readonly mustBeZero: boolean;
  /** One a candidate, in their order; undefined where it was not measured. */
  readonly cells: readonly (Cell | undefined)[];
}

export interface Cell {
  readonly spread: Spread;
  /** To the reference; absent for the reference itself, and where there is nothing to divide by. */
  readonly ratio: Spread | undefined;
}

/** What stands in a cell: the median, or the worst round where nothing but 0 will do. */
export function shownOf({ mustBeZero }: Row, { median, max }: Spread): number {
  return mustBeZero ? max : median;
}

export interface ParameterRow {
  readonly label: string;
  /** One a candidate. */
  readonly values: readonly string[];
}

const quantiles: readonly (readonly [label: string, of: (distribution: Distribution) => number])[] = [
  ['p50', (distribution) => distribution.p50],
  ['p90', (distribution) => distribution.p90],
  ['p99', (distribution) => distribution.p99],
  ['p99.9', (distribution) => distribution.p999],
  ['max', (distribution) => distribution.max],
];

/** Results of one candidate in the same measurement are its rounds. */
export function summarise(results: readonly Result[], reference?: string): ScenarioSummary[] {
  return measurementsOf(results).map((measurement) => summariseScenario(measurement, reference));
}

function summariseScenario({ title, results }: Measurement, wanted: string | undefined): ScenarioSummary {
  const candidates = [...groupBy(results, (result) => result.candidate)]
    .map(([name, rounds]) => ({ name, rounds: rounds.toSorted((a, b) => a.startedAt - b.startedAt) }))
    .toSorted((a, b) => Number(b.name === wanted) - Number(a.name === wanted));
  const reference = candidates.find((candidate) => candidate.name === wanted)?.name;
  const row = (label: string, unit: string, of: (result: Result) => number | undefined): Row =>
    makeRow(candidates, reference, label, unit, of);
  return {
    title,
    candidates,
    reference,
    figures: figuresInOrder(results).map(({ name, process }) => {
      const { label, unit } = readFigureName(process === undefined ? name : name.slice(0, -process.length - 1));
      const figures = row(process ?? label, unit, (result) => result.figures[name]);
      return { ...figures, isPart: process !== undefined, mustBeZero: mustBeZero.has(name) };
    }),
    latencies: namesOf(results, (result) => result.latencies).map((name) => ({
      name,
      label: latencyLabel(name),
      rows: quantiles.map(([label, of]) => row(label, 'ms', (result) => result.latencies[name] && of(result.latencies[name]))),
    })),
    parameters: namesOf(results, (result) => result.parameters).map((name) => ({
      label: parameterLabel(name),
      values: candidates.map(({ rounds }) => showParameter(rounds[0]?.parameters[name])),
    })),
    phases: candidates.map(({ rounds }) => [...new Set(rounds.map(showPhases))].join('; ')),
  };
}

/** `server_cpu_us_per_update_gateway-1` is a part of `server_cpu_us_per_update`, and stands below it. */
function figuresInOrder(results: readonly Result[]): { name: string; process?: string }[] {
  const names = namesOf(results, (result) => result.figures);
  const processes = [...new Set(results.flatMap(processesOf))];
  const parts = new Set(names.flatMap((whole) => processes.map((process) => `${whole}_${process}`)));
  const wholes = names.filter((name) => !parts.has(name));
  return wholes.flatMap((name) => [
    { name },
    ...processes.map((process) => ({ name: `${name}_${process}`, process })).filter((part) => names.includes(part.name)),
  ]);
}

function makeRow(
  candidates: readonly CandidateSummary[],
  reference: string | undefined,
  label: string,
  unit: string,
  of: (result: Result) => number | undefined,
): Row {
  const values = candidates.map(({ rounds }) => rounds.map(of).filter((value) => value !== undefined));
  const ofReference = values[candidates.findIndex(({ name }) => name === reference)] ?? [];
  const cells = values.map((own, index): Cell | undefined => {
    const spread = spreadOf(own);
    return spread && { spread, ratio: candidates[index]?.name === reference ? undefined : ratioTo(own, ofReference) };
  });
  return {
    label,
    isPart: false,
    mustBeZero: false,
    scale: scaleOf(unit, Math.max(0, ...cells.map((cell) => cell?.spread.median ?? 0))),
    cells,
  };
}

function namesOf(results: readonly Result[], of: (result: Result) => object): string[] {
  return [...new Set(results.flatMap((result) => Object.keys(of(result))))];
}

/** `warming 5 s, measured 60 s`. */
function showPhases({ series }: Result): string {
  return phasesOf(series)
    .map(({ name, from, to }) => `${name} ${formatDuration(to - from)}`)
    .join(', ');
}
