/** The ring as one process sees it, as its ops port tells it: `GET /ring`. Peers are `<id>/<incarnation>`. */
export interface RingReport extends RingState {
  readonly role: 'worker' | 'gateway';
  /** Who says this. */
  readonly peer: string;
  /** What a worker holds of the log; gateways hold nothing. */
  readonly slices: readonly SliceReport[];
}

export interface RingState {
  readonly members: readonly MemberView[];
  /** By partition; null while nobody is there. */
  readonly owners: readonly (string | null)[];
}

export interface MemberView {
  readonly peer: string;
  readonly draining: boolean;
  readonly load: number;
  readonly heardMsAgo: number;
}

export interface SliceReport {
  readonly slice: number;
  readonly identity: string;
  /** Read up to here. */
  readonly position: number;
  /** The log's end just now; null while it does not answer. */
  readonly end: number | null;
  readonly owned: readonly number[];
  /** Of these, which are answered for: read from the log up to where it ended when they were gained. */
  readonly ready: readonly number[];
}

/** The report as people read it. */
export function ringTable(report: RingReport): string {
  const { role, peer, members, owners, slices } = report;
  const owned = (of: string | null): number[] => owners.flatMap((owner, partition) => (owner === of ? [partition] : []));
  const nobodys = owned(null);
  return [
    `${role} ${peer} sees ${members.length} workers, ${owners.length} partitions`,
    ...table([
      ['worker', 'heard', 'load', 'state', 'owns', 'partitions'],
      ...members.map((member) => {
        const own = owned(member.peer);
        const state = member.draining ? 'draining' : 'here';
        return [member.peer, `${member.heardMsAgo} ms ago`, String(member.load), state, String(own.length), ranges(own)];
      }),
      ...(nobodys.length > 0 ? [['nobody', '', '', '', String(nobodys.length), ranges(nobodys)]] : []),
    ]),
    ...table([
      ...(slices.length > 0 ? [['slice', 'position', 'log end', 'owned', 'ready', 'not ready yet', 'identity']] : []),
      ...slices.map(({ slice, identity, position, end, owned: own, ready }) => {
        const waiting = own.filter((partition) => !ready.includes(partition));
        return [
          String(slice),
          String(position),
          end === null ? '?' : String(end),
          String(own.length),
          String(ready.length),
          ranges(waiting),
          identity,
        ];
      }),
    ]),
    '',
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

/** `0-3 7 9-12` */
function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(' ');
}
