import { html, type Markup } from '../markup.ts';
import type { PercentilePoint } from '../percentiles.ts';
import { largest, logAxis, ninesAxis, showMs } from './axis.ts';
import { drawLabels, labelWidth } from './end-labels.ts';
import { drawAxes, drawing, plotOf, type Size, xIn, yIn } from './frame.ts';
import { pathOf } from './line-chart.ts';

export interface PercentileChart {
  readonly name: string;
  readonly curves: readonly { readonly name: string; readonly className: string; readonly points: readonly PercentilePoint[] }[];
}

/** Latency at every percentile, on the scale of nines: the tail, which an average hides, is half the picture. */
export function drawPercentileChart(chart: PercentileChart, size: Size): Markup {
  const points = chart.curves.flatMap((curve) => curve.points);
  const y = logAxis(
    points.map(({ ms }) => ms),
    showMs,
  );
  const plot = plotOf(size, labelWidth(chart.curves.map((curve) => curve.name)), y);
  const x = ninesAxis(largest(points.map(({ oneIn }) => oneIn)));
  const lines = chart.curves.map((curve) => {
    const path = pathOf(curve.points.map(({ oneIn, ms }) => ({ x: xIn(plot, x, oneIn), y: yIn(plot, y, ms) })));
    return html`<path class="line is-strong ${curve.className}" d="${path}"><title>${curve.name}</title></path>`;
  });
  const labels = chart.curves.map((curve) => ({
    text: curve.name,
    className: curve.className,
    y: yIn(plot, y, curve.points.at(-1)?.ms ?? 0),
  }));
  return drawing(size, chart.name, [drawAxes(plot, x, y), ...lines, ...drawLabels(labels, plot.right, plot.top + 4, plot.bottom - 4)]);
}
