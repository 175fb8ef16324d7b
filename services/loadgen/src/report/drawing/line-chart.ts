import { keptIndexes } from '../downsample.ts';
import { html, joined, type Markup } from '../markup.ts';
import type { Phase } from '../phases.ts';
import { spreadOf } from '../spread.ts';
import { type Axis, timeAxis } from './axis.ts';
import { drawLabels } from './end-labels.ts';
import { drawAxes, drawing, drawPhases, plotOf, type Size, xIn, yIn } from './frame.ts';

export interface Line {
  readonly name: string;
  /** Of the colour, and of how it is drawn: `is-faint`, `is-dashed`. */
  readonly className: string;
  /** A value a second, undefined where there was none. */
  readonly values: readonly (number | undefined)[];
}

export interface TimeChart {
  /** Says what it shows to who cannot see it. */
  readonly name: string;
  /** Seconds since the beginning, of each value. */
  readonly times: readonly number[];
  readonly phases: readonly Phase[];
  readonly y: Axis;
  /** Kept free on the right for names: the same in all charts of a row, so that their times stand below each other. */
  readonly namesPx: number;
}

export interface LineChart extends TimeChart {
  readonly lines: readonly Line[];
}

/** Lines over time, named at their ends. */
export function drawLineChart(chart: LineChart, size: Size): Markup {
  const plot = plotOf(size, chart.namesPx, chart.y);
  const x = timeAxis(endOf(chart), plot.right - plot.left);
  const lines = chart.lines.map((line) => {
    const kept = keptIndexes(line.values, (plot.right - plot.left) / 2);
    const points = kept.map((index) =>
      point(xIn(plot, x, chart.times[index] ?? 0), line.values[index], (value) => yIn(plot, chart.y, value)),
    );
    return html`<path class="line ${line.className}" d="${pathOf(points)}"><title>${line.name}</title></path>`;
  });
  const labels = chart.lines.map(({ name, className, values }) => ({ text: name, className, y: yIn(plot, chart.y, typical(values)) }));
  return drawing(size, chart.name, [
    drawPhases(plot, x, chart.phases),
    drawAxes(plot, x, chart.y),
    joined(lines),
    ...drawLabels(labels, plot.right, plot.top + 4, plot.bottom - 4),
  ]);
}

/** Where a name stands: at the line's usual height, as at its end most fall to nothing. */
export function typical(values: readonly (number | undefined)[]): number {
  return spreadOf(values.filter((value) => value !== undefined))?.median ?? 0;
}

export function endOf({ times, phases }: TimeChart): number {
  return Math.max(1, phases.at(-1)?.to ?? 0, times.at(-1) ?? 0);
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

function point(x: number, value: number | undefined, place: (value: number) => number): Point | undefined {
  return value === undefined ? undefined : { x, y: place(value) };
}

/** A missing point breaks the line; a point alone between two gaps is drawn as a dot, by a line of no length with round ends. */
export function pathOf(points: readonly (Point | undefined)[]): string {
  return points
    .map((current, index) => {
      if (!current) return '';
      const place = `${tenth(current.x)} ${tenth(current.y)}`;
      if (points[index - 1]) return `L${place}`;
      return points[index + 1] ? `M${place}` : `M${place}h0`;
    })
    .join('');
}

export function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
