/** How a row's numbers are shown: each divided by `divisor`, with `unit` named once. */
export interface Scale {
  readonly divisor: number;
  readonly unit: string;
}

/** One scale for all values of a row, so that they compare at a glance: bytes by the largest, shares in percent. */
export function scaleOf(unit: string, largest: number): Scale {
  if (unit === 'share') return { divisor: 0.01, unit: '%' };
  if (unit !== 'B') return { divisor: 1, unit };
  const step = largest >= 1024 ** 3 ? 3 : largest >= 1024 ** 2 ? 2 : largest >= 1024 ? 1 : 0;
  return { divisor: 1024 ** step, unit: ['B', 'KiB', 'MiB', 'GiB'][step] ?? 'B' };
}

/** Three significant digits; from 1,000 on whole numbers with separators, as nobody compares "1.2e4". */
export function formatNumber(value: number): string {
  const shown =
    Math.abs(value) >= 999.5
      ? value.toLocaleString('en-US', { maximumFractionDigits: 0 })
      : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
  return shown === '-0' ? '0' : shown;
}

export function formatIn(scale: Scale, value: number): string {
  return formatNumber(value / scale.divisor);
}

/** "1.50", always with two digits behind the point: ratios stand below each other. */
export function formatRatio(ratio: number): string {
  return `×${ratio >= 99.95 ? formatNumber(ratio) : ratio.toFixed(2)}`;
}

/** "45 s", "30 min", "1 h 5 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return [hours > 0 ? `${hours} h` : '', minutes > 0 ? `${minutes} min` : '', rest > 0 ? `${rest} s` : '']
    .filter((part) => part !== '')
    .join(' ');
}
