/** One step of the hot path, made ready and then called over and over. */
export interface Step {
  /** `<part>: <what, with its size>`; unique. */
  readonly name: string;
  /** How many operations one call does, 1 unless given: figures are for one operation. */
  readonly operations?: number;
  /** What it gives is what is measured; called again it does the same again, for millions of times. */
  prepare(): (() => unknown) | Promise<() => unknown>;
}

/** For one operation. */
export interface Figures {
  readonly name: string;
  readonly ns: number;
  /** Half of the samples lie between these. */
  readonly nsLow: number;
  readonly nsHigh: number;
  /** On V8's heap. */
  readonly heapBytes: number;
  /** Of array buffers that lie outside the heap. */
  readonly bufferBytes: number;
  /** On V8's heap, as the allocation profiler counts them. */
  readonly objects: number;
  /** Who allocates, largest first. */
  readonly allocators: readonly Allocator[];
}

export interface Allocator {
  /** `function file:line`, of the compiled code. */
  readonly where: string;
  /** For one operation. */
  readonly bytes: number;
}
