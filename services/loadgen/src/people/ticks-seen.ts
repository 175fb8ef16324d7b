/** Of each writer, which clock ticks somebody has: all below a number, and what came out of turn. */
export class TicksSeen {
  readonly #next: number[] = [];
  #early: Map<number, [from: number, to: number][]> | undefined;

  /** How many ticks this brings that were not there. */
  add(writer: number, clock: number, length: number): number {
    const next = this.#next[writer] ?? 0;
    const end = clock + length;
    if (end <= next) return 0;
    if (clock > next) return this.#addEarly(writer, clock, end);
    this.#next[writer] = end;
    return end - next - (this.#early === undefined ? 0 : this.#absorb(writer, next));
  }

  /** All below it are there. */
  next(writer: number): number {
    return this.#next[writer] ?? 0;
  }

  #addEarly(writer: number, from: number, to: number): number {
    const all = (this.#early ??= new Map()).get(writer) ?? [];
    let fresh = to - from;
    for (const [start, end] of all) fresh -= Math.max(0, Math.min(end, to) - Math.max(start, from));
    const merged = [...all, [from, to] as [number, number]].toSorted(([a], [b]) => a - b);
    const kept: [number, number][] = [];
    for (const range of merged) {
      const last = kept.at(-1);
      if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
      else kept.push([range[0], range[1]]);
    }
    this.#early.set(writer, kept);
    return fresh;
  }

  /** What came early is reached now. Gives how many of the ticks from `since` on had been counted then. */
  #absorb(writer: number, since: number): number {
    const early = this.#early?.get(writer);
    if (!early) return 0;
    let counted = 0;
    while (early.length > 0 && early[0]![0] <= this.#next[writer]!) {
      const [from, to] = early.shift()!;
      const reached = this.#next[writer]!;
      counted += Math.max(0, Math.min(to, reached) - Math.max(from, since));
      if (to > reached) this.#next[writer] = to;
    }
    if (early.length === 0) this.#early!.delete(writer);
    return counted;
  }
}
