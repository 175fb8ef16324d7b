import { html, joined, type Markup } from '../markup.ts';
import type { Phase } from '../phases.ts';
import type { Axis } from './axis.ts';
import { pxPerChar } from './end-labels.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The rectangle in which data is drawn, in the pixels of the drawing. */
export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function plotOf({ width, height }: Size, labelsPx: number, y: Axis): Plot {
  const ticksPx = Math.max(...y.ticks.map(({ label }) => label.length)) * pxPerChar + 8;
  return { left: ticksPx, right: width - Math.max(labelsPx, 18), top: 18, bottom: height - 20 };
}

export function xIn(plot: Plot, axis: Axis, value: number): number {
  return plot.left + (plot.right - plot.left) * axis.place(value);
}

export function yIn(plot: Plot, axis: Axis, value: number): number {
  return plot.bottom - (plot.bottom - plot.top) * Math.min(1, axis.place(value));
}

/** A drawing that scales with the page and can be read aloud by its name. */
export function drawing(size: Size, name: string, parts: readonly Markup[]): Markup {
  return html`<svg viewBox="0 0 ${size.width} ${size.height}" style="max-width:${size.width}px" role="img" aria-label="${name}">
    ${parts}
  </svg>`;
}

export function drawAxes(plot: Plot, x: Axis, y: Axis): Markup {
  const rows = y.ticks.map(({ at, label }) => {
    const height = yIn(plot, y, at);
    return html`<path class="grid" d="M${plot.left} ${height}H${plot.right}" /><text
        class="tick"
        text-anchor="end"
        x="${plot.left - 6}"
        y="${height + 3.8}"
        >${label}</text
      >`;
  });
  let labelled = -Infinity;
  const columns = x.ticks.map(({ at, label }) => {
    const place = xIn(plot, x, at);
    const half = (label.length * pxPerChar) / 2;
    const fits = place - half > labelled;
    if (fits) labelled = place + half + 4;
    const text = fits ? html`<text class="tick" text-anchor="middle" x="${place}" y="${plot.bottom + 16}">${label}</text>` : undefined;
    return html`<path class="grid" d="M${place} ${plot.bottom}v4" />${text}`;
  });
  return joined([...rows, ...columns]);
}

/** Bands behind the data; a name only where it fits, the whole is in the tooltip and in the table. */
export function drawPhases(plot: Plot, x: Axis, phases: readonly Phase[]): Markup {
  return joined(
    phases.map((phase) => {
      const [from, to] = [xIn(plot, x, phase.from), xIn(plot, x, phase.to)];
      const fits = to - from > phase.name.length * 5.4 + 4;
      const name = fits ? html`<text class="phase-name" x="${from + 3}" y="${plot.top - 5}">${phase.name}</text>` : undefined;
      return html`<rect
          class="phase ${phaseClass(phase.name)}"
          x="${from}"
          y="${plot.top}"
          width="${to - from}"
          height="${plot.bottom - plot.top}"
          ><title>${phase.name}, ${Math.round(phase.from)}–${Math.round(phase.to)} s</title></rect
        ><path class="phase-begins" d="M${from} ${plot.top - 13}V${plot.bottom}" />${name}`;
    }),
  );
}

/** What counts is left white; what is meant to hurt stands out. */
function phaseClass(name: string): string {
  if (name === 'measured') return 'is-measured';
  return name.includes('overload') ? 'is-overload' : 'is-aside';
}
