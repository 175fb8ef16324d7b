import type { Colours } from '../colours.ts';
import { candidateClass } from '../candidate-charts.ts';
import { html, joined, type Markup } from '../markup.ts';
import { formatIn, formatRatio } from '../quantity.ts';
import { type Cell, type ParameterRow, type Row, type ScenarioSummary, shownOf } from '../summary.ts';

/** Figures, latencies and parameters as rows, candidates side by side. */
export function figureTable(summary: ScenarioSummary, colours: Colours): Markup {
  const { candidates, reference } = summary;
  const heads = candidates.map(({ name, rounds }) => {
    const note = [rounds.length > 1 ? `${rounds.length} rounds` : '', name === reference ? 'reference' : '']
      .filter((part) => part !== '')
      .join(', ');
    return html`<th scope="col">
      <span class="chip ${candidateClass(colours, { candidate: name })}"></span
      >${name}${note === '' ? undefined : html`<span class="spread">${note}</span>`}
    </th>`;
  });
  const classes = candidates.map(({ name }) => candidateClass(colours, { candidate: name }));
  const groups = [
    group(
      'Figures',
      summary.figures.map((row) => tableRow(row, classes)),
      classes.length,
    ),
    ...summary.latencies.map(({ label, rows }) =>
      group(
        `Latency: ${label}`,
        rows.map((row) => tableRow(row, classes)),
        classes.length,
      ),
    ),
    group('Parameters', [...summary.parameters, { label: 'phases', values: summary.phases }].map(parameterRow), classes.length),
  ];
  return html`<div
    class="scroll${classes.length === 1 ? ' is-alone' : undefined}"
    tabindex="0"
    role="region"
    aria-label="Figures of ${summary.title}"
  >
    <table>
      <colgroup>
        <col />
        ${candidates.map(() => html`<col style="width:${Math.round(80 / candidates.length)}%" />`)}
      </colgroup>
      <thead>
        <tr>
          <th></th>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${groups}
      </tbody>
    </table>
  </div>`;
}

function group(name: string, rows: readonly Markup[], columns: number): Markup {
  return rows.length === 0
    ? joined([])
    : html`<tr class="group">
          <th scope="rowgroup">${name}</th>
          <td colspan="${columns}"></td>
        </tr>
        ${rows}`;
}

function tableRow(row: Row, classes: readonly string[]): Markup {
  // A bar compares; alone it says nothing.
  const largest =
    row.cells.filter((cell) => cell !== undefined).length < 2 ? 0 : Math.max(0, ...row.cells.map((cell) => cell?.spread.median ?? 0));
  const cells = row.cells.map((cell, index) => tableCell(cell, row, largest, classes[index] ?? ''));
  return html`<tr>
    <th scope="row" ${row.isPart ? html` class="is-part"` : undefined}>
      ${row.label}${row.scale.unit === '' ? undefined : html` <span class="unit">${row.scale.unit}</span>`}
    </th>
    ${cells}
  </tr>`;
}

/** The bar is its share of the row's largest. */
function tableCell(cell: Cell | undefined, row: Row, largest: number, className: string): Markup {
  if (!cell) return html`<td class="quiet">–</td>`;
  const { scale, mustBeZero } = row;
  const { min, max, rounds } = cell.spread;
  const value = shownOf(row, cell.spread);
  const [low, high] = [formatIn(scale, min), formatIn(scale, max)];
  const spread = rounds > 1 && low !== high ? html` <span class="spread">${low}–${high}</span>` : undefined;
  const ratio = cell.ratio && html`<span class="ratio" title="${ratioTitle(cell.ratio)}">${formatRatio(cell.ratio.median)}</span>`;
  const bar =
    largest > 0 && value > 0 && !mustBeZero
      ? html`<span class="bar ${className}" style="width:${(100 * value) / largest}%"></span>`
      : undefined;
  return html`<td${mustBeZero && max > 0 ? html` class="is-bad"` : undefined}>${ratio}<span class="value">${formatIn(scale, value)}</span>${spread}${bar}</td>`;
}

function ratioTitle({ min, max, rounds }: NonNullable<Cell['ratio']>): string {
  return rounds > 1 ? `median of ${rounds} rounds, ${formatRatio(min)} to ${formatRatio(max)}` : 'median by median';
}

/** What is the same everywhere is said once. */
function parameterRow({ label, values }: ParameterRow): Markup {
  const [first] = values;
  const cells = values.every((value) => value === first)
    ? html`<td class="wrapped" colspan="${values.length}">${first}</td>`
    : joined(values.map((value) => html`<td class="wrapped">${value}</td>`));
  return html`<tr>
    <th scope="row">${label}</th>
    ${cells}
  </tr>`;
}
