import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Distribution } from '../result.ts';

/** Microseconds; 60 s is longer than anybody waits here. Two figures: within 1 %. */
const newHistogram = (): Histogram =>
  build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 2,
  });

/** How long something took, over and over. */
export class Latency {
  readonly #histogram = newHistogram();

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Microseconds; what is below one counts as one, what is over ten minutes as ten minutes. */
  record(us: number): void {
    this.#histogram.recordValue(us < 1 ? 1 : us > 600_000_000 ? 600_000_000 : Math.round(us));
  }

  /** Milliseconds. */
  percentile(percent: number): number {
    return this.#histogram.getValueAtPercentile(percent) / 1000;
  }

  reset(): void {
    this.#histogram.reset();
  }

  distribution(): Distribution {
    const histogram = this.#histogram;
    return {
      count: histogram.totalCount,
      mean: histogram.mean / 1000,
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      max: histogram.maxValue / 1000,
      hdr: encodeIntoCompressedBase64(histogram),
    };
  }
}
