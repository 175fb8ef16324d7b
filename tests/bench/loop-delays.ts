import type { Running } from './candidates/candidate.ts';

/**
 * How late the event loops of our gateways and workers were since this was last asked, ms: the longest, and the worst p99. The services count it themselves
 * (`nodejs_eventloop_lag_*`, of perf_hooks' monitorEventLoopDelay, which begins anew with each look). Empty for who does not tell.
 */
export async function loopDelays(running: Running): Promise<Record<string, number>> {
  const all = await Promise.all(
    (running.metrics ?? [])
      .filter(({ name }) => name.startsWith('gateway') || name.startsWith('sync-worker'))
      .map(async ({ name, url }) => ({ name, text: await (await fetch(url)).text() })),
  );
  const figures: Record<string, number> = {};
  for (const { name, text } of all) {
    const kind = name.replace(/-\d+$/, '').replace('sync-worker', 'worker');
    for (const [figure, metric] of [
      ['loop_p99_ms', 'nodejs_eventloop_lag_p99_seconds'],
      ['loop_max_ms', 'nodejs_eventloop_lag_max_seconds'],
    ] as const) {
      const seconds = Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1]);
      if (!Number.isFinite(seconds)) continue;
      for (const key of [figure, `${kind}_${figure}`]) figures[key] = Math.max(figures[key] ?? 0, seconds * 1000);
    }
  }
  return figures;
}
