import { build, decodeFromCompressedBase64 } from 'hdr-histogram-js';
import type { Distribution } from '../result.ts';

export interface PercentilePoint {
  /** One in how many is slower: 2 is the median, 10 is p90, 1,000 is p99.9. */
  readonly oneIn: number;
  readonly ms: number;
}

const usPerMs = 1000;
const pointsPerDecade = 12;

/** Curves begin at the median: what was faster interests nobody, and its logarithm would take half the picture. */
const fastest = 2;

/** The curve of all rounds together, up to the slowest of them. Empty where no run kept its histogram. Throws when one cannot be decoded. */
export function percentileCurve(rounds: readonly Distribution[]): PercentilePoint[] {
  // Built, not decoded: a decoded one does not grow, and adding a slower one to it throws.
  const all = build();
  for (const { hdr, count } of rounds) if (hdr !== '' && count > 0) all.add(decode(hdr));
  if (all.totalCount === 0) return [];
  // The slowest of all ends the curve: one in as many as there are is as slow as that.
  const decades = Math.log10(Math.max(1, all.totalCount / fastest));
  const steps = Math.max(1, Math.ceil(decades * pointsPerDecade));
  return Array.from({ length: steps + 1 }, (_, step) => {
    const oneIn = fastest * 10 ** ((decades * step) / steps);
    return { oneIn, ms: all.getValueAtPercentile(step === steps ? 100 : 100 * (1 - 1 / oneIn)) / usPerMs };
  });
}

function decode(hdr: string): ReturnType<typeof decodeFromCompressedBase64> {
  try {
    return decodeFromCompressedBase64(hdr);
  } catch (cause) {
    throw new Error(`a latency's "hdr" (${hdr.slice(0, 24)}…) is not a histogram: expected HdrHistogram V2, compressed, base64`, { cause });
  }
}
