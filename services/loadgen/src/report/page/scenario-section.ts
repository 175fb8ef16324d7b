import type { Result } from '../../result.ts';
import { candidateClass, type ChartRow, chartRows } from '../candidate-charts.ts';
import type { Colours } from '../colours.ts';
import type { Size } from '../drawing/frame.ts';
import { drawPercentileChart } from '../drawing/percentile-chart.ts';
import { html, joined, type Markup } from '../markup.ts';
import { percentileCurve } from '../percentiles.ts';
import type { CandidateSummary, ScenarioSummary } from '../summary.ts';
import { figureTable } from './figure-table.ts';

const narrow: Size = { width: 344, height: 200 };
/** By how many stand beside each other: as wide as their cards, so that text is as large as text elsewhere. */
const wide: Readonly<Record<number, Size>> = {
  1: { width: 1096, height: 250 },
  2: { width: 526, height: 210 },
  3: { width: 336, height: 200 },
};

export function scenarioSection(summary: ScenarioSummary, colours: Colours, id: string): Markup {
  const runs = summary.candidates.map(({ rounds }) => middleRound(rounds));
  const several = summary.candidates.some(({ rounds }) => rounds.length > 1);
  return html`<section class="scenario" id="${id}">
    <h2>${summary.title}</h2>
    ${figureTable(summary, colours)} ${percentileGrid(summary, colours)}
    ${several ? html`<p class="h3-note" style="margin:32px 0 -24px">Of several rounds, the charts over time show the middle one by latency.</p>` : undefined}
    ${chartRows(runs, colours).map((row) => rowGrid(row, summary.candidates, runs, colours))}
  </section>`;
}

/** Over time only one round can be read; the one in the middle flatters nobody. */
export function middleRound(rounds: readonly Result[]): Result {
  const p99 = (result: Result): number => (result.latencies['delivery'] ?? Object.values(result.latencies)[0])?.p99 ?? 0;
  const middle = rounds.toSorted((a, b) => p99(a) - p99(b))[Math.floor((rounds.length - 1) / 2)];
  if (!middle) throw new Error('a candidate without a round: expected at least one result of each');
  return middle;
}

function percentileGrid({ title, candidates, latencies }: ScenarioSummary, colours: Colours): Markup {
  const charts = latencies.flatMap(({ name, label }) => {
    const curves = candidates.map((candidate) => ({
      name: candidate.name,
      className: candidateClass(colours, { candidate: candidate.name }),
      points: percentileCurve(candidate.rounds.flatMap((round) => round.latencies[name] ?? [])),
    }));
    const drawn = curves.filter(({ points }) => points.length > 0);
    return drawn.length > 0 ? [{ label, curves: drawn }] : [];
  });
  if (charts.length === 0) return joined([]);
  const columns = columnsFor(charts.length);
  const figures = charts.map(({ label, curves }) => {
    const draw = (size: Size): Markup =>
      drawPercentileChart({ name: `Latency by percentile: ${title}, ${label}`, curves }, { ...size, height: size.height + 40 });
    return html`<figure>
      <figcaption>${label}</figcaption>
      ${inBothSizes(draw, columns)}
    </figure>`;
  });
  return html`<h3>Latency by percentile</h3>
    <p class="h3-note">all rounds together; the further right, the rarer</p>
    <div class="grid of-${columns}">${figures}</div>`;
}

function rowGrid(row: ChartRow, candidates: readonly CandidateSummary[], runs: readonly Result[], colours: Colours): Markup {
  const columns = columnsFor(candidates.length);
  const figures = candidates.map((candidate, index) => {
    const round =
      candidate.rounds.length > 1
        ? html` <span class="quiet"
            >round ${candidate.rounds.findIndex((one) => one === runs[index]) + 1} of ${candidate.rounds.length}</span
          >`
        : undefined;
    const draw = row.draw[index];
    const content = draw ? inBothSizes(draw, columns) : html`<p class="none">Not measured for this candidate.</p>`;
    return html`<figure>
      <figcaption><span class="chip ${candidateClass(colours, { candidate: candidate.name })}"></span>${candidate.name}${round}</figcaption>
      ${content}
    </figure>`;
  });
  return html`<h3>${row.title}</h3>
    <p class="h3-note">${row.explanation}</p>
    <div class="grid of-${columns}">${figures}</div>`;
}

/** Four as two by two: three and one would leave one alone. */
function columnsFor(count: number): 1 | 2 | 3 {
  if (count === 1) return 1;
  return count === 2 || count === 4 ? 2 : 3;
}

/** Drawn twice rather than shrunk, or a telephone could not read it; the page's style shows one. */
function inBothSizes(draw: (size: Size) => Markup, columns: 1 | 2 | 3): Markup {
  return html`<div class="is-wide">${draw(wide[columns] ?? narrow)}</div>
    <div class="is-narrow">${draw(narrow)}</div>`;
}
