import { bucketMeans, keptIndexes } from '../downsample.ts';
import { html, type Markup } from '../markup.ts';
import { timeAxis } from './axis.ts';
import { drawLabels, type EndLabel } from './end-labels.ts';
import { drawAxes, drawing, drawPhases, plotOf, type Size, xIn, yIn } from './frame.ts';
import { endOf, type Line, pathOf, tenth, type TimeChart, typical } from './line-chart.ts';

export interface StackedChart extends TimeChart {
  /** The first lies at the bottom. */
  readonly areas: readonly Line[];
  /** Not in the stack: compared with it. */
  readonly lines: readonly Line[];
}

/**
 * Areas upon each other, so that the upper edge is the sum. Of a long series the areas are means of neighbouring seconds, and the thin line on top
 * of them is the sum second by second, so that no spike is smoothed away.
 */
export function drawStackedChart(chart: StackedChart, size: Size): Markup {
  const plot = plotOf(size, chart.namesPx, chart.y);
  const x = timeAxis(endOf(chart), plot.right - plot.left);
  const toY = (value: number): number => yIn(plot, chart.y, value);
  const buckets = Math.floor((plot.right - plot.left) / 3);
  const xs = bucketMeans(chart.times, buckets).map((time) => xIn(plot, x, time));
  const edges = stack(chart.areas.map((area) => bucketMeans(area.values, buckets)));
  const areas = chart.areas.map(({ name, className }, index) => {
    const [lower, upper] = [edges[index] ?? [], edges[index + 1] ?? []];
    return html`<path class="area ${className}" d="${areaPath(xs, lower.map(toY), upper.map(toY))}"><title>${name}</title></path>`;
  });
  const sum = stack(chart.areas.map((area) => area.values.map((value) => value ?? 0))).at(-1) ?? [];
  const thin = [{ name: 'sum', className: 'is-sum', values: sum }, ...chart.lines].map(({ name, className, values }) => {
    const kept = keptIndexes(values, (plot.right - plot.left) / 2);
    const points = kept.map((index) => ({ x: xIn(plot, x, chart.times[index] ?? 0), y: toY(values[index] ?? 0) }));
    return html`<path class="line ${className}" d="${pathOf(points)}"><title>${name}</title></path>`;
  });
  return drawing(size, chart.name, [
    drawPhases(plot, x, chart.phases),
    ...areas,
    drawAxes(plot, x, chart.y),
    ...thin,
    ...drawLabels(
      [...areaLabels(chart.areas, toY), ...chart.lines.map((line) => label(line, toY(typical(line.values))))],
      plot.right,
      plot.top + 4,
      plot.bottom - 4,
    ),
  ]);
}

/** In the middle of each area, as high as it usually is. */
function areaLabels(areas: readonly Line[], toY: (value: number) => number): EndLabel[] {
  const edges = stack(areas.map((area) => [typical(area.values)]));
  return areas.map((area, index) => label(area, toY(((edges[index]?.[0] ?? 0) + (edges[index + 1]?.[0] ?? 0)) / 2)));
}

function label({ name, className }: Line, y: number): EndLabel {
  return { text: name, className, y };
}

/** The edges between the layers, the bottom (all 0) first: one more than layers. */
export function stack(layers: readonly (readonly number[])[]): number[][] {
  const edges: number[][] = [(layers[0] ?? []).map(() => 0)];
  for (const layer of layers) edges.push(layer.map((value, index) => value + (edges.at(-1)?.[index] ?? 0)));
  return edges;
}

function areaPath(xs: readonly number[], lower: readonly number[], upper: readonly number[]): string {
  const there = upper.map((y, index) => `${tenth(xs[index] ?? 0)} ${tenth(y)}`);
  const back = lower.map((y, index) => `${tenth(xs[index] ?? 0)} ${tenth(y)}`).toReversed();
  return there.length > 0 ? `M${there.join('L')}L${back.join('L')}Z` : '';
}
