import type { Result } from '../result.ts';
import { formatIn, formatRatio } from './quantity.ts';
import { type Cell, type Row, type ScenarioSummary, shownOf, summarise } from './summary.ts';
import { textTable } from './text-table.ts';
import { verdictOf } from './verdict.ts';

export interface TableOptions {
  /** The candidate others are divided by. */
  readonly reference?: string;
}

/** For a terminal: a block a scenario, figures as rows, candidates side by side; of several rounds the median, the spread and the ratio. */
export function resultTable(results: readonly Result[], { reference }: TableOptions = {}): string {
  const blocks = summarise(results, reference).map((summary) => scenarioBlock(summary).join('\n'));
  const { troubles, undelivered } = verdictOf(results);
  return [...blocks, [...troubles.map(({ where, trouble }) => `! ${where}: ${trouble}`), undelivered.sentence].join('\n')]
    .join('\n\n')
    .concat('\n');
}

function scenarioBlock(summary: ScenarioSummary): string[] {
  const { candidates } = summary;
  const heading = [
    '',
    '',
    ...candidates.flatMap(({ name, rounds }) => ['│', name, rounds.length > 1 ? `${rounds.length} rounds` : '', '']),
  ];
  const rows = [
    heading,
    ...summary.figures.map((row) => tableRow(row.isPart ? `  ${row.label}` : row.label, row)),
    ...summary.latencies.flatMap(({ label, rows: ofLatency }) => ofLatency.map((row) => tableRow(`${label} ${row.label}`, row))),
  ];
  const lines = textTable(rows, ['left', 'left', ...candidates.flatMap(() => ['left', 'right', 'left', 'right'] as const)]);
  return [summary.title + sharedParameters(summary), '-'.repeat(Math.max(...lines.map((line) => line.length))), ...lines];
}

function tableRow(label: string, row: Row): string[] {
  return [label, row.scale.unit, ...row.cells.flatMap((cell) => tableCell(cell, row))];
}

function tableCell(cell: Cell | undefined, row: Row): string[] {
  if (!cell) return ['│', '–', '', ''];
  const { scale } = row;
  const { min, max, rounds } = cell.spread;
  const [low, high] = [formatIn(scale, min), formatIn(scale, max)];
  return [
    '│',
    formatIn(scale, shownOf(row, cell.spread)),
    rounds > 1 && low !== high ? `(${low}–${high})` : '',
    cell.ratio ? formatRatio(cell.ratio.median) : '',
  ];
}

/** Parameters that are the same everywhere stand in the heading; others name their candidates. */
function sharedParameters({ parameters, candidates }: ScenarioSummary): string {
  const parts = parameters.map(({ label, values }) =>
    new Set(values).size === 1
      ? `${label} ${values[0] ?? ''}`
      : `${label} ${values.map((value, index) => `${value} (${candidates[index]?.name ?? ''})`).join(' ')}`,
  );
  return parts.length > 0 ? `: ${parts.join('; ')}` : '';
}
