import type { FaultWindow } from './injector.ts';
import type { Notes } from './typist.ts';

/** Something that must not be. */
export interface Violation {
  /** `lost`: an acknowledged edit that somebody does not have. */
  readonly kind: 'lost' | 'unequal' | 'unsaved' | 'seen' | 'stuck' | 'thrown';
  readonly says: string;
  readonly document?: string;
  /** Which edit, of `lost`. */
  readonly edit?: string;
}

/** `chaos-3 client-4-17#12`, which one was promised and where it is missing: with the moment it was made and acknowledged, and what was going on by then. */
export function lostEdit(
  notes: Notes,
  entry: string,
  where: string,
  { startMs, windows }: { startMs: number; windows: readonly FaultWindow[] },
): Violation {
  const number = Number(entry.slice(entry.lastIndexOf('#') + 1));
  const madeMs = notes.madeMs[number - 1] ?? Number.NaN;
  const acknowledgedMs = notes.acknowledgedMs[number - 1];
  const at = (ms: number): string => `${((ms - startMs) / 1000).toFixed(3)} s`;
  const untilMs = acknowledgedMs ?? madeMs;
  const during = windows.filter((window) => window.fromMs <= untilMs && window.untilMs >= madeMs);
  const faults = during.map(({ kind, targets, fromMs, untilMs: endMs }) => `${kind} ${targets.join(' ')} (${at(fromMs)} – ${at(endMs)})`);
  const acknowledged = acknowledgedMs === undefined ? 'kept by a client that lives' : `acknowledged at ${at(acknowledgedMs)}`;
  return {
    kind: 'lost',
    document: notes.document,
    edit: `${notes.document} ${entry}`,
    says: `${notes.document}: ${entry} (${notes.kind}), made at ${at(madeMs)}, ${acknowledged}, is not in ${where}; faults then: ${faults.join(', ') || 'none'}`,
  };
}
