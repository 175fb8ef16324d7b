/** About one sample a second is kept, so with a minute to keep there are about 60. */
const SAMPLE_EVERY_MS = 1_000;
const SAMPLES_MAX = 10_000;

interface Sample {
  readonly position: number;
  readonly atMs: number;
}

/** Remembers roughly when the log took which position, to say how far it may be trimmed: behind the floor, and never younger than a time. */
export class TrimClock {
  #samples: Sample[] = [];

  note(position: number, atMs: number): void {
    const newest = this.#samples.at(-1);
    if (newest !== undefined && atMs - newest.atMs < SAMPLE_EVERY_MS) return;
    // At the bound the older half forgets every other one: trimming gets coarser, nothing else.
    if (this.#samples.length >= SAMPLES_MAX) this.#samples = this.#samples.filter((_, index) => index % 2 === 0 || index > SAMPLES_MAX / 2);
    this.#samples.push({ position, atMs });
  }

  /** The highest noted position at or below `floor` that the log took at `olderThanMs` or before; undefined: nothing new may go. Forgets what it gave. */
  trimmable(floor: number, olderThanMs: number): number | undefined {
    let upTo: number | undefined;
    while (this.#samples[0] !== undefined && this.#samples[0].atMs <= olderThanMs && this.#samples[0].position <= floor) {
      upTo = this.#samples.shift()?.position;
    }
    return upTo;
  }
}
