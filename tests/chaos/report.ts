import { stripVTControlCharacters } from 'node:util';
import type { ChaosRun } from './chaos-run.ts';
import type { Checked } from './checker.ts';
import { causesOf } from './expectations.ts';
import { faultKinds } from './faults.ts';
import { acknowledgements, type Latency, latenciesOf } from './latency.ts';
import type { Violation } from './violations.ts';

const shownMax = 40;

/** What a run came to, in lines. The last one begins with RESULT. */
export function reportOf(run: ChaosRun, checked: Checked): string[] {
  const { windows } = run.injector;
  const notes = run.crowd.notes;
  const causes = causesOf(run.sightings.all, windows);
  const made = notes.reduce((sum, { madeMs }) => sum + madeMs.length, 0);
  const acknowledged = notes.reduce((sum, { acknowledgedMs }) => sum + acknowledgedMs.length, 0);
  const gone = run.crowd.vanished.reduce((sum, { acknowledgedMs }) => sum + acknowledgedMs.length, 0);
  const acks = latenciesOf(acknowledgements(notes), windows);
  const shown = latenciesOf(
    run.visits.map(({ fromMs, syncedMs }) => [fromMs, syncedMs]),
    windows,
  );
  const whole = latenciesOf(
    run.visits.map(({ fromMs, wholeMs }) => [fromMs, wholeMs]),
    windows,
  );
  return [
    '',
    `faults                ${windows.length}`,
    ...counted(faultKinds.flatMap((kind) => windows.filter((window) => window.kind === kind).map(() => kind))),
    `edits                 ${made}`,
    `acknowledged          ${acknowledged}, ${gone} of them to ${run.crowd.vanished.length} clients that vanished for good`,
    `ack latency, quiet    ${written(acks.outside)}`,
    `ack latency, faults   ${written(acks.inside)}`,
    `visits                ${run.visits.length} newcomers, each of whom got what was acknowledged before they came`,
    `shown, quiet          ${written(shown.outside)}`,
    `shown, faults         ${written(shown.inside)}`,
    `has all, quiet        ${written(whole.outside)}`,
    `has all, faults       ${written(whole.inside)}`,
    `reconnects, by cause  ${run.sightings.all.length}`,
    ...counted(run.sightings.all.map(({ what, phase }, i) => `${what} (${phase}) under ${causes[i] ?? 'NOTHING THAT EXPLAINS IT'}`)),
    `converged after       ${Math.round(run.convergedMs)} ms`,
    `looked for            ${checked.promised} edits in ${checked.documents} documents: with each client, with a fresh reader, in Postgres`,
    `first answers behind  ${checked.lateMs.length}${checked.lateMs.length > 0 ? `, the rest came within ${Math.round(Math.max(...checked.lateMs))} ms` : ''}`,
    ...errorsLogged(run),
    ...resultOf([...run.violations, ...checked.violations]),
  ];
}

export function lostIn(violations: readonly Violation[]): number {
  return new Set(violations.flatMap(({ edit }) => (edit === undefined ? [] : [edit]))).size;
}

function resultOf(found: readonly Violation[]): string[] {
  // The worst first.
  const violations = [...found.filter(({ kind }) => kind === 'lost'), ...found.filter(({ kind }) => kind !== 'lost')];
  const shown = violations.slice(0, shownMax).map(({ kind, says }) => `  ${kind}: ${says}`);
  const more = violations.length > shownMax ? [`  … and ${violations.length - shownMax} more`] : [];
  const others = violations.filter(({ kind }) => kind !== 'lost').length;
  return [
    ...(violations.length > 0 ? ['', 'violations', ...shown, ...more] : []),
    '',
    `RESULT lost ${lostIn(violations)}, other violations ${others}`,
  ];
}

function counted(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `  ${String(count).padStart(6)}  ${word}`);
}

function written({ count, p50Ms, p99Ms, maxMs }: Latency): string {
  if (count === 0) return 'none';
  return `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(0)} ms, most ${maxMs.toFixed(0)} ms, of ${count}`;
}

/** Of all services, by what they say: for who looks for a cause. Errors are pino's level 50 and above. */
function errorsLogged({ cluster }: ChaosRun): string[] {
  const lines = cluster.services.flatMap(({ service, logs }) =>
    logs.split('\n').flatMap((line) => {
      const { level, msg } = parsed(line);
      return level >= 50 ? [`${service}: ${stripVTControlCharacters(msg)}`] : [];
    }),
  );
  return [`errors logged         ${lines.length}`, ...counted(lines)];
}

function parsed(line: string): { level: number; msg: string } {
  try {
    const { level, msg, err } = JSON.parse(line) as { level: number | string; msg: string; err?: { message: string } };
    return { level: level === 'error' ? 50 : level === 'fatal' ? 60 : Number(level), msg: `${msg}${err ? ` (${err.message})` : ''}` };
  } catch (error) {
    // Not of our logger: Node's own last words.
    if (error instanceof SyntaxError) return { level: 0, msg: '' };
    throw error;
  }
}
