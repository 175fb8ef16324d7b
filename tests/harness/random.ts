/** A stream of random numbers that its seed repeats (mulberry32). */
export interface Random {
  /** An integer in 0..below-1. */
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
}

/** The seed of this run: `WEFT_TEST_SEED`, or a new one. Printed, so that a failure can be run again. */
export function printedSeed(test: string): number {
  const given = process.env['WEFT_TEST_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  process.stderr.write(`${test}: seed ${seed} (again with WEFT_TEST_SEED=${seed})\n`);
  return seed;
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return { int, pick: (list) => list[int(list.length)]! };
}
