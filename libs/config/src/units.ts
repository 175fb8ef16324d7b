const BYTES = new Map([
  ['', 1],
  ['B', 1],
  ['kB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);

const MILLISECONDS = new Map([
  ['ms', 1],
  ['s', 1e3],
  ['m', 60e3],
  ['h', 3_600e3],
  ['d', 86_400e3],
]);

/** `8MiB` -> 8388608; undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  return parseQuantity(text, BYTES);
}

/** `1500ms`, `2s`, `5m` -> milliseconds; undefined when it is no duration. */
export function parseDurationMs(text: string): number | undefined {
  return text === '0' ? 0 : parseQuantity(text, MILLISECONDS);
}

/** The largest binary unit that divides the number: what a reader of the table would write. */
export function formatBytes(bytes: number): string {
  return formatQuantity(
    bytes,
    [...BYTES].filter(([unit]) => unit === '' || unit.endsWith('iB')),
  );
}

export function formatDurationMs(ms: number): string {
  return formatQuantity(ms, [...MILLISECONDS]);
}

function parseQuantity(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^(\d+)\s*([A-Za-z]*)$/.exec(text);
  const factor = units.get(match?.[2] ?? '');
  if (match?.[1] === undefined || factor === undefined) return undefined;
  const value = Number(match[1]) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatQuantity(value: number, units: readonly (readonly [string, number])[]): string {
  if (value === 0) return '0';
  const [unit, factor] = units.toReversed().find(([, factor]) => value % factor === 0) ?? ['', 1];
  return `${value / factor}${unit}`;
}
