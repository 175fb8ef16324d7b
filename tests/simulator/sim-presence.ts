import type { Presence } from '../limits/frames.ts';

/** Others not renewed for so long are gone (y-protocols, outdatedTimeout). */
const outdatedMs = 30_000;

/** Awareness as y-protocols does it (awareness.js): newest clock wins, a removal wins over its own clock, and who hears of their own removal speaks up. */
export class SimPresence {
  readonly clientId: number;
  readonly #clocks = new Map<number, number>();
  readonly #others = new Map<number, { readonly state: unknown; readonly heardAtMs: number }>();
  #clock = 1;
  #left = false;
  /** Whose removal was heard. */
  readonly removed = new Set<number>();

  constructor(clientId: number) {
    this.clientId = clientId;
  }

  own(): Presence {
    return { clientId: this.clientId, clock: this.#clock, state: { name: this.clientId } };
  }

  /** Clients renew theirs every 15 s. */
  renewed(): Presence {
    this.#clock += 1;
    return this.own();
  }

  /** Gives what to say in turn. */
  hear(entries: readonly Presence[], nowMs: number): Presence | undefined {
    let reply: Presence | undefined;
    for (const { clientId, clock, state } of entries) {
      if (clientId === this.clientId) {
        if (state !== null || clock < this.#clock || this.#left) continue;
        this.removed.add(clientId);
        this.#clock = clock + 1;
        reply = this.own();
        continue;
      }
      const known = this.#clocks.get(clientId) ?? 0;
      if (clock < known || (clock === known && !(state === null && this.#others.has(clientId)))) continue;
      this.#clocks.set(clientId, clock);
      if (state === null) {
        this.#others.delete(clientId);
        this.removed.add(clientId);
      } else this.#others.set(clientId, { state, heardAtMs: nowMs });
    }
    return reply;
  }

  /** Providers forget everybody else when their connection ends; clocks they keep. */
  disconnected(): void {
    this.#others.clear();
  }

  others(nowMs: number): number[] {
    for (const [clientId, { heardAtMs }] of this.#others) if (nowMs - heardAtMs > outdatedMs) this.#others.delete(clientId);
    return [...this.#others.keys()].toSorted((a, b) => a - b);
  }

  /** What providers up to 4.4 send when they close: the removal of everybody they know. */
  removals(): Presence[] {
    this.#left = true;
    return [...this.#others.keys(), this.clientId].map((clientId) => ({
      clientId,
      clock: (clientId === this.clientId ? this.#clock : (this.#clocks.get(clientId) ?? 0)) + 1,
      state: null,
    }));
  }
}
