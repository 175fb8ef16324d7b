import type { Running } from './candidates/candidate.ts';

/** What our services tell of themselves at /metrics, which empties what they keep of their loops' delays: a look before a row, and one after it. */
export interface Look {
  readonly texts: readonly { readonly name: string; readonly text: string }[];
}

export async function lookAt(running: Running): Promise<Look> {
  return {
    texts: await Promise.all((running.metrics ?? []).map(async ({ name, url }) => ({ name, text: await (await fetch(url)).text() }))),
  };
}

/** Figures of the time between two looks; none for who does not tell. `seconds`, `updates`: what was sent meanwhile, each of `editBytes` characters. */
export function figuresBetween(
  before: Look,
  after: Look,
  sent: { readonly updates: number; readonly typistSeconds: number; readonly editBytes: number },
): Record<string, number> {
  const figures = loopDelays(after);
  const grown = (metric: string): number => sumOf(after, metric) - sumOf(before, metric);
  if (after.texts.length > 0 && sent.updates > 0) {
    figures['postgres_rows_per_typist_second'] = grown('weft_persistence_flush_rows_total') / sent.typistSeconds;
    figures['postgres_bytes_per_byte_typed'] = grown('weft_persistence_flush_bytes_total') / (sent.updates * sent.editBytes);
  }
  return figures;
}

/** How late the loops of gateways and workers were, ms: the longest, and the worst p99 (`nodejs_eventloop_lag_*`, perf_hooks' monitorEventLoopDelay). */
function loopDelays({ texts }: Look): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const { name, text } of texts) {
    const kind = name.replace(/-\d+$/, '').replace('sync-worker', 'worker');
    if (kind !== 'gateway' && kind !== 'worker') continue;
    for (const [figure, metric] of [
      ['loop_p99_ms', 'nodejs_eventloop_lag_p99_seconds'],
      ['loop_max_ms', 'nodejs_eventloop_lag_max_seconds'],
    ] as const) {
      const seconds = valuesOf(text, metric)[0];
      if (seconds === undefined) continue;
      for (const key of [figure, `${kind}_${figure}`]) figures[key] = Math.max(figures[key] ?? 0, seconds * 1000);
    }
  }
  return figures;
}

function sumOf({ texts }: Look, metric: string): number {
  return texts.flatMap(({ text }) => valuesOf(text, metric)).reduce((sum, value) => sum + value, 0);
}

/** Over all labels. */
function valuesOf(text: string, metric: string): number[] {
  return [...text.matchAll(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
    .map(([, value]) => Number(value))
    .filter(Number.isFinite);
}
