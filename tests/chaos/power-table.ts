import type { ControlResult } from './power-controls.ts';
import type { PowerRound } from './power-rounds.ts';
import { nameOf } from './power-variants.ts';

/** As Markdown, to be put into docs/reliability.md as it is. */
export function tableOf(rounds: readonly PowerRound[]): string[] {
  const groups = new Map<string, PowerRound[]>();
  for (const round of rounds) {
    const name = `${nameOf(round.planned)} | ${round.planned.keep}`;
    groups.set(name, [...(groups.get(name) ?? []), round]);
  }
  const rows = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, group]) => [name, ...sumsOf(group)].join(' | '));
  return framed(
    'what lost its power | kept | rounds | edits | acknowledged before the cut | of these to people who never came back | lost',
    [...rows, ['**together** | ', ...sumsOf(rounds)].join(' | ')],
  );
}

export function tableOfControls(results: readonly ControlResult[]): string[] {
  return framed(
    'control | rounds | acknowledged | lost | as it must be',
    results.map(({ name, rounds, acknowledged, lost, mustLose, passed }) =>
      [name, rounds, acknowledged, lost, `${mustLose ? 'loses' : 'loses nothing'}: ${passed ? 'yes' : 'NO'}`].join(' | '),
    ),
  );
}

function sumsOf(rounds: readonly PowerRound[]): number[] {
  const sum = (of: (round: PowerRound) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  return [
    rounds.length,
    sum(({ edits }) => edits),
    sum(({ acknowledged }) => acknowledged),
    sum(({ acknowledgedToGuests }) => acknowledgedToGuests),
    sum(({ lost }) => lost.length),
  ];
}

function framed(head: string, rows: readonly string[]): string[] {
  const rule = head.replaceAll(/[^|]+/g, ' --- ').trim();
  return [head, rule, ...rows].map((row) => `| ${row} |`);
}
