import { setTimeout as pause } from 'node:timers/promises';

const lookEveryMs = 5;
const withinMsDefault = 25_000;

/** Resolves when `condition` holds; rejects with what was waited for, and with what `seen` tells of the state it stays in. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  { withinMs = withinMsDefault, seen = () => '' }: { withinMs?: number; seen?: () => string } = {},
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`within ${withinMs} ms it did not come that ${what} ${seen()}`);
    await pause(lookEveryMs);
  }
}
