import type { Changed } from './changed.ts';

export interface RecentChangesOptions {
  /** Ms, never backwards. */
  readonly now: () => number;
  /** How long a change is remembered. */
  readonly keptMs: number;
  /** Changes remembered; at the bound the oldest goes, and whoever asks about its time is told that something came. */
  readonly keptMax?: number;
}

interface Heard {
  readonly number: number;
  readonly atMs: number;
}

/**
 * Whether a change came since something was asked: an answer may have been on its way when its right went. What is remembered is found by what it names, so that asking
 * costs the same after one change and after thousands.
 */
export class RecentChanges {
  readonly #options: RecentChangesOptions;
  readonly #keptMax: number;
  /** The newest of each, by what it names; oldest first. */
  readonly #heard = new Map<string, Heard>();
  #count = 0;
  /** The newest that was let go at the bound before its time. */
  #letGo: Heard | undefined;

  constructor(options: RecentChangesOptions) {
    this.#options = options;
    this.#keptMax = options.keptMax ?? 10_000;
  }

  /** The number of the last change heard; 0 before the first. */
  get last(): number {
    return this.#count;
  }

  note(changed: Changed): void {
    this.#forgetOld();
    const key = keyOf(changed);
    this.#heard.delete(key);
    this.#makeRoom();
    this.#count += 1;
    this.#heard.set(key, { number: this.#count, atMs: this.#options.now() });
  }

  /** Did a change that concerns this come after the one of that number? Changes older than `keptMs` are forgotten. */
  cameSince(last: number, of: { readonly user: string; readonly session?: string; readonly document: string }): boolean {
    if (this.#heard.size === 0) return false;
    this.#forgetOld();
    if (this.#letGo && last < this.#letGo.number) return true;
    const { user, session, document } = of;
    return naming(user, session, document).some((key) => (this.#heard.get(key)?.number ?? 0) > last);
  }

  #forgetOld(): void {
    const oldMs = this.#options.now() - this.#options.keptMs;
    if (this.#letGo && this.#letGo.atMs < oldMs) this.#letGo = undefined;
    for (const [key, { atMs }] of this.#heard) {
      if (atMs >= oldMs) return;
      this.#heard.delete(key);
    }
  }

  #makeRoom(): void {
    const oldest = this.#heard.entries().next();
    if (oldest.done || this.#heard.size < this.#keptMax) return;
    const [key, heard] = oldest.value;
    this.#letGo = heard;
    this.#heard.delete(key);
  }
}

function keyOf({ user, session, document }: Changed): string {
  return JSON.stringify([user ?? null, session ?? null, document ?? null]);
}

/** All changes that would concern it. */
function naming(user: string, session: string | undefined, document: string): string[] {
  const keys: string[] = [];
  for (const byUser of [{ user }, {}])
    for (const bySession of session === undefined ? [{}] : [{ session }, {}])
      for (const byDocument of [{ document }, {}]) keys.push(keyOf({ ...byUser, ...bySession, ...byDocument }));
  return keys;
}
