/** A line of targets.md: a scenario, how it is run, and what we want of it. */
export interface Row {
  readonly name: string;
  readonly scenario: string;
  readonly set?: Readonly<Record<string, number>>;
  /** Candidates that are measured in turns, ours first; the others are its peers in the table. */
  readonly candidates: readonly string[];
  /** `rate` is so much of what the house bore at most in this run (row `ceiling`), if it was measured. */
  readonly ofCeiling?: number;
  /** Documents are written, and the servers' memory emptied (`Running.restart`), before. Bytes of each. */
  readonly coldBytes?: number;
  /** False: not warmed up before. */
  readonly warm?: boolean;
  /** Rows of one sitting share a start of the servers, one after the other. Default: its own. */
  readonly sitting?: string;
  readonly goals: readonly Goal[];
}

/** What is wanted of a figure of ours. */
export interface Goal {
  /** As targets.md calls it. */
  readonly what: string;
  /** A figure's name, or `<latency>.<p50|p99|…>`. */
  readonly figure: string;
  /** Divide by the same figure of this candidate, in the same round. */
  readonly over?: string;
  readonly unit: string;
  readonly bar: number;
  readonly goal: number;
  readonly better: 'lower' | 'higher';
  /** Bar and goal were written down where this candidate had this figure: they are moved by what it has in the same run, for no two machines are equally fast. */
  readonly scale?: { readonly candidate: string; readonly figure: string; readonly was: number };
}
