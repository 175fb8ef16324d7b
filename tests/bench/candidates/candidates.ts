import type { Candidate } from './candidate.ts';
import { peers } from './peers.ts';
import { weftVariants } from './weft.ts';

export const candidates: readonly Candidate[] = [...weftVariants, ...peers];

/** Throws a sentence that names them all when there is none of this name. */
export function candidateNamed(name: string): Candidate {
  const found = candidates.find((candidate) => candidate.name === name);
  if (found) return found;
  throw new Error(`there is no candidate ${JSON.stringify(name)}: it is one of ${candidates.map((one) => one.name).join(', ')}`);
}
