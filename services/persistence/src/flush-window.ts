/** When what was read goes to Postgres. */
export interface WindowLimits {
  /** How long updates are combined, ms. */
  readonly flushMs: number;
  /** Held bytes that end the window at once, and above which nothing more is read. */
  readonly flushBytes: number;
}

/** Bounds the time one merge takes, whatever the updates' size: after an outage a window could hold hundreds of thousands of small ones. */
export const UPDATES_A_FLUSH_MAX = 20_000;

export interface Held {
  readonly records: number;
  readonly updates: number;
  readonly bytes: number;
}

export function isFull(held: Held, { flushBytes }: WindowLimits): boolean {
  return held.bytes >= flushBytes || held.updates >= UPDATES_A_FLUSH_MAX;
}

/** Ms until the flush is due: 0 for now, undefined while there is nothing to flush. */
export function dueInMs(
  held: Held,
  { openedAtMs, nowMs }: { openedAtMs: number; nowMs: number },
  limits: WindowLimits,
): number | undefined {
  if (held.records === 0) return undefined;
  return isFull(held, limits) ? 0 : Math.max(0, openedAtMs + limits.flushMs - nowMs);
}
