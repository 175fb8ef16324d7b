import type { Figures } from './step.ts';

/** A run's figures as lines of text, widths aligned; with `earlier` each figure's ratio to it. */
export function* tableOf(figures: readonly Figures[], earlier: readonly Figures[] = []): Generator<string> {
  const rows = figures.map((one) =>
    rowOf(
      one,
      earlier.find(({ name }) => name === one.name),
    ),
  );
  const head = [
    'step',
    'ns/op',
    '±',
    'ops/s',
    'heap B/op',
    'buffer B/op',
    'objects/op',
    ...(earlier.length > 0 ? ['time', 'heap', 'buffers'] : []),
  ];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [head, ...rows])
    yield row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
}

function rowOf(one: Figures, before: Figures | undefined): string[] {
  const { ns, nsLow, nsHigh, heapBytes, bufferBytes, objects } = one;
  const row = [
    one.name,
    number(ns),
    `${Math.round((50 * (nsHigh - nsLow)) / ns)} %`,
    number(1e9 / ns),
    number(heapBytes),
    number(bufferBytes),
    number(objects),
  ];
  return before ? [...row, ratio(ns, before.ns), ratio(heapBytes, before.heapBytes), ratio(bufferBytes, before.bufferBytes)] : row;
}

/** Three figures that mean something. */
function number(value: number): string {
  const rounded = Math.abs(value) < 0.05 ? 0 : Number(value.toPrecision(3));
  return rounded.toLocaleString('en', { maximumFractionDigits: 1 });
}

/** Below a byte or so neither is anything but noise. */
function ratio(now: number, before: number): string {
  if (Math.abs(now) < 2 && Math.abs(before) < 2) return '–';
  return before < 2 ? 'new' : `x${(now / before).toFixed(2)}`;
}

/** Who allocates in a step, largest first. */
export function* allocatorsOf(one: Figures): Generator<string> {
  for (const { where, bytes } of one.allocators) if (bytes >= 1) yield `    ${number(bytes).padStart(10)} B  ${where}`;
}
