import type { StoredFloor } from '@weft/store';
import type { SliceState } from '@weft/wal';

export type Agreement =
  | { readonly kind: 'go-on'; readonly floor: StoredFloor }
  /** Set the floor to this one. `alarm`: something is lost, or may be; a person must hear of it. */
  | { readonly kind: 'adopt'; readonly floor: StoredFloor; readonly alarm: string | undefined };

/**
 * Where reading starts, from what Postgres has and what the log holds. A log that was lost has another identity: its numbers say nothing about
 * the old floor, gateways resend what they have, and work goes on from its first record (architecture.md, section 3).
 */
export function agreeOnFloor(stored: StoredFloor | undefined, log: SliceState): Agreement {
  const start: StoredFloor = { identity: log.identity, position: log.first - 1 };
  if (stored === undefined) {
    return { kind: 'adopt', floor: start, alarm: log.first === 1 ? undefined : trimmed(0, log.first) };
  }
  if (stored.identity !== log.identity) {
    return {
      kind: 'adopt',
      floor: start,
      alarm: `the log was replaced: its identity was ${stored.identity} (floor ${stored.position}), now it is ${log.identity} (from ${log.first}); what was acknowledged above the floor and not resent is lost`,
    };
  }
  if (stored.position < log.first - 1) return { kind: 'adopt', floor: start, alarm: trimmed(stored.position, log.first) };
  // A log that ends before the floor lost its end (a power cut without fsync, a backup put back). Its reader finds that out and gives it another identity; then it is
  // read again from its beginning. To go on from its end would miss whatever reuses the numbers below the floor.
  return { kind: 'go-on', floor: stored };
}

function trimmed(floor: number, first: number): string {
  return `the log was trimmed beyond the floor: records ${floor + 1} to ${first - 1} are gone and not in Postgres`;
}
