/** Time and chance as a service is given them: the machine's own, or a simulation's. */
export interface Clock {
  /** Ms since some moment; never runs backwards. */
  now(): number;
  /** Ms since the epoch, as this machine believes. */
  wallMs(): number;
  /** Calls `run` once, after `ms`; gives what calls it off. */
  after(ms: number, run: () => void, options?: TimerOptions): () => void;
  /** Calls `run` once what is at hand is done: what came in one turn of the event loop is so handled together. */
  soon(run: () => void): void;
  /** 0 <= x < 1, for jitter. */
  random(): number;
}

export interface TimerOptions {
  /** True: the process may end without it. */
  readonly background?: boolean;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, run, { background = false } = {}) => {
    const timer = setTimeout(run, ms);
    if (background) timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
  random: () => Math.random(),
};
