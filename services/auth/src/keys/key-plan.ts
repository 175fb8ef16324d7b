/** Which key does what when: pure. A key's time to sign begins at its `signsFromMs` and ends where the next one's begins. */
import type { StoredKey } from './stored-key.ts';

/** A new key is public for so long before it signs: who keeps a copy of the keys (300 s over HTTP, less on the bus) has it by then. */
export const PUBLISHED_AHEAD_MS = 600_000;
/** A retired key verifies for so long at least, though tokens be set to live shorter: yesterday they may have lived longer. */
const RETIRED_KEPT_MS_MIN = 24 * 3_600_000;
/** Two clocks may be apart, and a token is believed a little beyond its end. */
const MARGIN_MS = 60_000;

export function oldestFirst(keys: readonly StoredKey[]): StoredKey[] {
  return keys.toSorted((a, b) => a.signsFromMs - b.signsFromMs || (a.kid < b.kid ? -1 : 1));
}

/** The youngest whose time has come. Where none's has (a clock went back), the oldest. `undefined` only without any key. */
export function signingAt(keys: readonly StoredKey[], nowMs: number): StoredKey | undefined {
  const ordered = oldestFirst(keys);
  return ordered.findLast((key) => key.signsFromMs <= nowMs) ?? ordered[0];
}

/** Without those whose last token has ended. */
export function keptAt(keys: readonly StoredKey[], nowMs: number, tokenLifetimeMs: number): StoredKey[] {
  const keptMs = Math.max(tokenLifetimeMs, RETIRED_KEPT_MS_MIN);
  return oldestFirst(keys).filter(({ tokensUntilMs }, index, ordered) => {
    const retiredMs = ordered[index + 1]?.signsFromMs ?? Number.POSITIVE_INFINITY;
    return Math.max(retiredMs + keptMs, tokensUntilMs) + MARGIN_MS > nowMs;
  });
}

/** When a next key should begin to sign, if it has to be made now; `undefined`: not yet. */
export function nextSignsFrom(keys: readonly StoredKey[], nowMs: number, rotationMs: number): number | undefined {
  const youngest = oldestFirst(keys).at(-1);
  if (youngest === undefined) return nowMs;
  const dueMs = youngest.signsFromMs + rotationMs;
  return dueMs - PUBLISHED_AHEAD_MS <= nowMs ? Math.max(dueMs, nowMs + PUBLISHED_AHEAD_MS) : undefined;
}
