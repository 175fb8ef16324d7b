import { assign } from './assign.ts';
import { type Member, Membership } from './membership.ts';

/** The ring as one process sees it: heartbeats in, the owner of every partition out. Only workers own partitions. */
export class RingView {
  readonly #membership = new Membership();
  readonly #partitions: number;

  constructor({ partitions }: { partitions: number }) {
    this.#partitions = partitions;
  }

  get workers(): number {
    return this.#membership.size;
  }

  /** True when the owners may have changed: `sweep` now, and a worker that drains is taken over within milliseconds. */
  hear(heartbeat: { readonly role: 'worker' | 'gateway'; readonly peer: Member; readonly draining: boolean }, nowMs: number): boolean {
    return heartbeat.role === 'worker' && this.#membership.hear(heartbeat.peer, heartbeat.draining, nowMs);
  }

  /** Call it a few times a second, and when `hear` says so. True when the owners may have changed. */
  sweep(nowMs: number): boolean {
    return this.#membership.sweep(nowMs);
  }

  /** Workers that drain: they answer and relay on until nobody needs them. */
  leaving(): readonly Member[] {
    return this.#membership.draining();
  }

  /** By partition. */
  owners(): readonly (Member | undefined)[] {
    return assign(this.#partitions, this.#membership.assignable()).map((id) => (id === undefined ? undefined : this.#membership.get(id)));
  }
}
