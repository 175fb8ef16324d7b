/** What goes dark in a round, and how much of what was not synced survives it. */
export interface Variant {
  /** nats-servers; the log has a replica on each. */
  readonly replicas: 1 | 3;
  /** Whose disks lose their power. */
  readonly cut: 'both' | 'nats' | 'postgres';
  /** Which processes end with kill -9: all of the cluster, or only the servers on the disk that is cut. */
  readonly ends: 'everything' | 'its servers';
}

export interface PlannedRound extends Variant {
  /** Chance of each unsynced page of 4 KiB to survive. */
  readonly keep: number;
}

export const keeps = [0, 0.3, 0.8] as const;

/** One turn of these: half of it is everything at once. */
const turn: readonly Pick<Variant, 'cut' | 'ends'>[] = [
  { cut: 'both', ends: 'everything' },
  { cut: 'nats', ends: 'everything' },
  { cut: 'both', ends: 'everything' },
  { cut: 'postgres', ends: 'everything' },
  { cut: 'both', ends: 'everything' },
  { cut: 'nats', ends: 'its servers' },
  { cut: 'both', ends: 'everything' },
  { cut: 'postgres', ends: 'its servers' },
];

/** Half of the rounds on one replica, then half on three; every variant meets every keep in turn. */
export function planRounds(rounds: number): PlannedRound[] {
  const onOne = Math.ceil(rounds / 2);
  return [...planOn(1, onOne), ...planOn(3, rounds - onOne)];
}

function planOn(replicas: 1 | 3, rounds: number): PlannedRound[] {
  const met = new Map<string, number>();
  return Array.from({ length: rounds }, (_, i) => {
    const variant: Variant = { replicas, ...turn[i % turn.length]! };
    const times = met.get(nameOf(variant)) ?? 0;
    met.set(nameOf(variant), times + 1);
    return { ...variant, keep: keeps[times % keeps.length]! };
  });
}

export function nameOf({ replicas, cut, ends }: Variant): string {
  const disks = { both: 'the disks of NATS and Postgres', nats: 'the disk of NATS', postgres: 'the disk of Postgres' }[cut];
  const servers = cut === 'nats' ? 'NATS' : 'Postgres';
  return `${replicas === 1 ? '1 replica' : '3 replicas'}, ${disks}, ${ends === 'everything' ? 'everything killed' : `${servers} alone killed`}`;
}
