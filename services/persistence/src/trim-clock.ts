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
  #last: Sample | undefined;
  #trimmed = 0;

  note(position: number, atMs: number): void {
    this.#last = { position, atMs };
    const newest = this.#samples.at(-1);
    if (newest !== undefined && atMs - newest.atMs < SAMPLE_EVERY_MS) return;
    // At the bound the older half forgets every other one: trimming gets coarser, nothing else.
    if (this.#samples.length >= SAMPLES_MAX) this.#samples = this.#samples.filter((_, index) => index % 2 === 0 || index > SAMPLES_MAX / 2);
    this.#samples.push({ position, atMs });
  }

  /**
   * A position at or below `floor` that the log took at `olderThanMs` or before; undefined: nothing new may go. In time it is the floor itself: a log that is full takes nothing more that would move the rest on.
   */
  trimmable(floor: number, olderThanMs: number): number | undefined {
    // What is below the first one that may not go was taken before it.
    const next = this.#samples.find(({ position, atMs }) => position > floor || atMs > olderThanMs) ?? this.#last;
    const before = this.#samples.findLast(({ position, atMs }) => position <= floor && atMs <= olderThanMs)?.position ?? 0;
    const upTo = next !== undefined && next.atMs <= olderThanMs ? Math.min(floor, next.position) : before;
    return upTo > this.#trimmed ? upTo : undefined;
  }

  /** The log is trimmed up to here. Not said where it could not be: then the same is given again. */
  trimmed(position: number): void {
    this.#trimmed = position;
    this.#samples = this.#samples.filter((sample) => sample.position > position);
  }
}
