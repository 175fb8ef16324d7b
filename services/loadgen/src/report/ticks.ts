/** Round values from 0 to at least `max`: 1, 2 or 5 times a power of ten apart, about `wanted` of them. */
export function linearTicks(max: number, wanted: number): number[] {
  if (!(max > 0)) return [0, 1];
  const raw = max / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999_999) ?? 10);
  const count = Math.ceil(max / step - 1e-9);
  // Multiplied, not added up: 0.1 + 0.2 is no tick.
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** The powers of ten that hold `min` and `max` between them; within one or two decades their 2 and 5 too. Both must be above 0. */
export function logTicks(min: number, max: number): number[] {
  const low = Math.floor(Math.log10(min) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(max) - 1e-9));
  const factors = high - low > 2 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let exponent = low; exponent <= high; exponent += 1) {
    for (const factor of factors) if (factor === 1 || exponent < high) ticks.push(Number((factor * 10 ** exponent).toPrecision(12)));
  }
  const first = ticks.findLastIndex((tick) => tick <= min * 1.000_001);
  const last = ticks.findIndex((tick) => tick >= max * 0.999_999);
  return ticks.slice(Math.max(0, first), last < 0 ? undefined : Math.max(last, first + 1) + 1);
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

export interface TimeTick {
  /** Seconds. */
  readonly at: number;
  readonly label: string;
}

/** Seconds, minutes or hours, whichever the step is whole in; the last label bears the unit. */
export function timeTicks(seconds: number, wanted: number): TimeTick[] {
  const step = timeSteps.find((candidate) => seconds / candidate <= wanted) ?? 86_400;
  const [divisor, unit] = step % 3600 === 0 ? [3600, 'h'] : step % 60 === 0 ? [60, 'min'] : [1, 's'];
  const count = Math.floor(seconds / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => {
    const at = index * step;
    return { at, label: index === count ? `${at / divisor} ${unit}` : String(at / divisor) };
  });
}
