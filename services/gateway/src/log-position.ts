import type { Want } from '@weft/protocol';

/** A place in the log of a slice. Positions of different logs do not compare: one that was lost and made anew counts from 1 again. */
export interface LogPosition {
  /** '': none yet. */
  readonly logIdentity: string;
  readonly position: number;
}

export const NOWHERE: LogPosition = { logIdentity: '', position: 0 };

/** What is asked of a worker. A `since` is asked by its state vector where the log of its position is not the one the question is about. */
export type Question =
  | Exclude<Want, { kind: 'since' }>
  | { readonly kind: 'since'; readonly from: LogPosition; readonly stateVector: Uint8Array };

/** As it is asked under the log of this identity. */
export function wantOf(question: Question, logIdentity: string): Want {
  if (question.kind !== 'since') return question;
  const { from, stateVector } = question;
  return from.logIdentity === logIdentity ? { kind: 'since', position: from.position, stateVector } : { kind: 'state-vector', stateVector };
}
