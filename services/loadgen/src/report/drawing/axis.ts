import { formatNumber } from '../quantity.ts';
import { linearTicks, logTicks, timeTicks } from '../ticks.ts';

/** From values to places: 0 is where the axis begins, 1 where it ends. */
export interface Axis {
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  place(value: number): number;
}

/** From 0 to a round value at or above `max`. */
export function linearAxis(max: number, label: (value: number) => string): Axis {
  const ticks = linearTicks(max, 4);
  const end = ticks.at(-1) ?? 1;
  return { ticks: ticks.map((at) => ({ at, label: label(at) })), place: (value) => value / end };
}

/** Values below the first tick lie on it: what took no time at all has no logarithm. */
export function logAxis(values: readonly number[], label: (value: number) => string): Axis {
  const positive = values.filter((value) => value > 0);
  const ticks = positive.length > 0 ? logTicks(smallest(positive), largest(positive)) : [1, 10];
  const [from, to] = [Math.log10(ticks[0] ?? 1), Math.log10(ticks.at(-1) ?? 10)];
  return {
    ticks: ticks.map((at) => ({ at, label: label(at) })),
    place: (value) => (value > 0 ? Math.max(0, (Math.log10(value) - from) / (to - from)) : 0),
  };
}

export function timeAxis(seconds: number, widthPx: number): Axis {
  return { ticks: timeTicks(seconds, Math.max(2, Math.floor(widthPx / 60))), place: (value) => value / seconds };
}

/** The scale of nines, from the median: 90 %, 99 %, 99.9 % equally far from each other. `oneIn` is one in how many is slower. */
export function ninesAxis(oneInMax: number): Axis {
  const end = Math.max(10, oneInMax);
  const nines = Array.from({ length: Math.floor(Math.log10(end) + 1e-9) }, (_, index) => ({
    at: 10 ** (index + 1),
    label: percentileName(index + 1),
  }));
  return { ticks: [{ at: 2, label: '50 %' }, ...nines], place: (oneIn) => Math.log10(oneIn / 2) / Math.log10(end / 2) };
}

function percentileName(nines: number): string {
  return nines === 1 ? '90 %' : `99${nines > 2 ? `.${'9'.repeat(nines - 2)}` : ''} %`;
}

export function showMs(value: number): string {
  return value >= 1000 ? `${formatNumber(value / 1000)} s` : `${formatNumber(value)} ms`;
}

/** For long series: `Math.max(...values)` has a limit of arguments. */
export function largest(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}
