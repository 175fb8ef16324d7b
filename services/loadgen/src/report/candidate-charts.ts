import type { Result, Second } from '../result.ts';
import { type Colours, familyOf, processesOf } from './colours.ts';
import { type Axis, largest, linearAxis, logAxis, showMs } from './drawing/axis.ts';
import { labelWidth } from './drawing/end-labels.ts';
import { drawLineChart, type Line, type TimeChart } from './drawing/line-chart.ts';
import type { Size } from './drawing/frame.ts';
import { drawStackedChart } from './drawing/stacked-chart.ts';
import type { Markup } from './markup.ts';
import { phasesOf } from './phases.ts';
import { formatNumber } from './quantity.ts';

/** One thing drawn for every candidate, on the same vertical axis, so that they can be compared. */
export interface ChartRow {
  readonly title: string;
  readonly explanation: string;
  /** Undefined where a candidate has none of it. */
  readonly draw: readonly (((size: Size) => Markup) | undefined)[];
}

const mib = 1024 ** 2;

/** `runs`: one a candidate. Rows nobody has anything for are left out. */
export function chartRows(runs: readonly Result[], colours: Colours): ChartRow[] {
  return [
    latencyRow(runs, colours, 'Delivery latency', 'from the edit to another client; p99 strong, p50 faint', (second) => [
      second.p50,
      second.p99,
    ]),
    latencyRow(runs, colours, 'Acknowledgement latency', 'from the edit to its SyncStatus; p99 strong, p50 faint', (second) => [
      second.ackP50,
      second.ackP99,
    ]),
    sentRow(runs, colours),
    deliveredRow(runs, colours),
    cpuRow(runs, colours),
    memoryRow(runs, colours),
  ].filter((row) => row.draw.some((draw) => draw !== undefined));
}

function latencyRow(
  runs: readonly Result[],
  colours: Colours,
  title: string,
  explanation: string,
  of: (second: Second) => [p50: number | undefined, p99: number | undefined],
): ChartRow {
  const lines = runs.map((run): Line[] => {
    const [p50, p99] = [run.series.map((second) => of(second)[0]), run.series.map((second) => of(second)[1])];
    const colour = candidateClass(colours, run);
    return [
      { name: 'p50', className: `${colour} is-faint`, values: p50 },
      { name: 'p99', className: `${colour} is-strong`, values: p99 },
    ].filter(({ values }) => values.some((value) => value !== undefined));
  });
  const y = logAxis(
    lines.flatMap((own) => own.flatMap(({ values }) => values.filter((value) => value !== undefined))),
    showMs,
  );
  return lineRow(title, explanation, runs, lines, y);
}

function sentRow(runs: readonly Result[], colours: Colours): ChartRow {
  const lines = runs.map((run): Line[] =>
    [
      {
        name: 'acknowledged',
        className: `${candidateClass(colours, run)} is-strong`,
        values: run.series.map((second) => second.acknowledged),
      },
      // Above the other: where all is well they are the same line.
      { name: 'sent', className: 'ink is-dashed', values: run.series.map((second) => second.sent) },
    ].filter(({ values }) => largest(values) > 0),
  );
  return lineRow('Updates a second', 'sent (dashed) and acknowledged', runs, lines, axisOf(lines, formatNumber));
}

function deliveredRow(runs: readonly Result[], colours: Colours): ChartRow {
  const lines = runs.map((run): Line[] =>
    [
      { name: 'delivered', className: `${candidateClass(colours, run)} is-strong`, values: run.series.map((second) => second.delivered) },
    ].filter(({ values }) => largest(values) > 0),
  );
  return lineRow('Deliveries a second', 'an update that reached one client is one', runs, lines, axisOf(lines, formatNumber));
}

function cpuRow(runs: readonly Result[], colours: Colours): ChartRow {
  const percent = (name: string) => (second: Second) => (second.cpu[name] ?? 0) * 100;
  const areas = runs.map((run): Line[] =>
    byFamily(processesOf(run))
      .filter((name) => run.series.some((second) => (second.cpu[name] ?? 0) > 0))
      .map((name) => ({ name, className: processClass(colours, name), values: run.series.map(percent(name)) })),
  );
  const lines = runs.map((run): Line[] =>
    run.series.some((second) => second.cpu['loadgen'] !== undefined)
      ? [{ name: 'load generator', className: 'ink is-dashed', values: run.series.map(percent('loadgen')) }]
      : [],
  );
  const sums = runs.flatMap((_, index) => sumOf(areas[index] ?? []));
  const y = linearAxis(
    largest([...sums, ...lines.flatMap((own) => own.flatMap(({ values }) => values))]),
    (value) => `${formatNumber(value)} %`,
  );
  const draw = runs.map((run, index) => {
    const [own, compared] = [areas[index] ?? [], lines[index] ?? []];
    return own.length + compared.length === 0
      ? undefined
      : (size: Size) => drawStackedChart({ ...timesOf('CPU by process', run, y, [...areas, ...lines]), areas: own, lines: compared }, size);
  });
  return {
    title: 'CPU by process',
    explanation: 'stacked, 100 % is one core; the thin line is the sum second by second; the load generator (dashed) is not in it',
    draw,
  };
}

function memoryRow(runs: readonly Result[], colours: Colours): ChartRow {
  const lines = runs.map((run): Line[] =>
    byFamily([...processesOf(run), 'loadgen'])
      .filter((name) => run.series.some((second) => second.rss[name] !== undefined))
      .map((name) => ({
        name: name === 'loadgen' ? 'load generator' : name,
        className: name === 'loadgen' ? 'ink is-dashed' : processClass(colours, name),
        values: run.series.map((second) => (second.rss[name] === undefined ? undefined : second.rss[name] / mib)),
      })),
  );
  return lineRow(
    'Resident memory by process',
    'not stacked',
    runs,
    lines,
    axisOf(lines, (value) => `${formatNumber(value)} MiB`),
  );
}

function lineRow(title: string, explanation: string, runs: readonly Result[], lines: readonly (readonly Line[])[], y: Axis): ChartRow {
  const draw = runs.map((run, index) => {
    const own = lines[index] ?? [];
    return own.length === 0 ? undefined : (size: Size) => drawLineChart({ ...timesOf(title, run, y, lines), lines: own }, size);
  });
  return { title, explanation, draw };
}

function timesOf(title: string, run: Result, y: Axis, row: readonly (readonly Line[])[]): TimeChart {
  const namesPx = labelWidth(row.flatMap((lines) => lines.map((line) => line.name)));
  return {
    namesPx,
    name: `${title} over time: ${run.scenario}, ${run.candidate}`,
    times: run.series.map((second) => second.at),
    phases: phasesOf(run.series),
    y,
  };
}

function axisOf(lines: readonly (readonly Line[])[], label: (value: number) => string): Axis {
  return linearAxis(largest(lines.flatMap((own) => own.flatMap(({ values }) => values))), label);
}

function sumOf(areas: readonly Line[]): number[] {
  return (areas[0]?.values ?? []).map((_, index) => areas.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
}

/** Members of a family lie next to each other. */
function byFamily(names: readonly string[]): string[] {
  const families = [...new Set(names.map(familyOf))];
  return names.toSorted(
    (a, b) => families.indexOf(familyOf(a)) - families.indexOf(familyOf(b)) || a.localeCompare(b, 'en', { numeric: true }),
  );
}

export function candidateClass(colours: Colours, { candidate }: Pick<Result, 'candidate'>): string {
  return `c${colours.ofCandidate.get(candidate) ?? 0}`;
}

function processClass(colours: Colours, name: string): string {
  const { colour, shade } = colours.ofProcess.get(name) ?? { colour: 0, shade: 0 };
  return `p${colour} s${shade}`;
}
