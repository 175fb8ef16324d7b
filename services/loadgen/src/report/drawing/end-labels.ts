import { html, type Markup } from '../markup.ts';

/** Stands right of a line's or an area's end and bears its name, so that no legend is needed. */
export interface EndLabel {
  readonly text: string;
  readonly className: string;
  /** Where the line ends. */
  readonly y: number;
}

const lineHeightPx = 13;
const leaderPx = 10;
const textMaxChars = 18;
export const pxPerChar = 6.2;

export function labelWidth(labels: readonly string[]): number {
  return Math.min(textMaxChars, Math.max(0, ...labels.map((label) => label.length))) * pxPerChar + leaderPx + 10;
}

/** Each as near as it can be to where it wants to be, none over another, all between `top` and `bottom`; in the order of the wishes. */
export function placeLabels(wanted: readonly number[], top: number, bottom: number): number[] {
  const gap = Math.min(lineHeightPx, (bottom - top) / Math.max(1, wanted.length - 1));
  const order = wanted.map((_, index) => index).toSorted((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed = [...wanted];
  let least = top;
  for (const index of order) {
    placed[index] = Math.max(placed[index] ?? top, least);
    least = (placed[index] ?? top) + gap;
  }
  let most = bottom;
  for (const index of order.toReversed()) {
    placed[index] = Math.min(placed[index] ?? bottom, most);
    most = (placed[index] ?? bottom) - gap;
  }
  return placed;
}

export function drawLabels(labels: readonly EndLabel[], x: number, top: number, bottom: number): Markup[] {
  const places = placeLabels(
    labels.map((label) => label.y),
    top,
    bottom,
  );
  return labels.map(({ text, className, y }, index) => {
    const at = places[index] ?? y;
    const shown = text.length > textMaxChars ? `${text.slice(0, textMaxChars - 1)}…` : text;
    return html`<path class="leader ${className}" d="M${x + 1} ${y}L${x + leaderPx - 2} ${at}" /><circle
        class="dot ${className}"
        cx="${x + leaderPx}"
        cy="${at}"
        r="3"
      /><text class="name" x="${x + leaderPx + 6}" y="${at + 3.8}">${shown}</text>`;
  });
}
