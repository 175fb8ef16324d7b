import { assign } from './assign.ts';
import { type Member, Membership } from './membership.ts';
import type { RingState } from './ring-report.ts';

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
  hear(
    heartbeat: { readonly role: 'worker' | 'gateway'; readonly peer: Member; readonly draining: boolean; readonly load?: number },
    nowMs: number,
  ): boolean {
    return heartbeat.role === 'worker' && this.#membership.hear(heartbeat.peer, heartbeat.draining, nowMs, heartbeat.load);
  }

  /** Call it a few times a second, and when `hear` says so. True when the owners may have changed. */
  sweep(nowMs: number): boolean {
    return this.#membership.sweep(nowMs);
  }

  /** Workers that drain: they answer and relay on until nobody needs them. */
  leaving(): readonly Member[] {
    return this.#membership.draining();
  }

  /** Members, and owners by partition, for people to look at. */
  view(nowMs: number): RingState {
    const owners = this.owners().map((owner) => (owner ? `${owner.id}/${owner.incarnation}` : null));
    return { members: this.#membership.view(nowMs), owners };
  }

  /** By partition. */
  owners(): readonly (Member | undefined)[] {
    return assign(this.#partitions, this.#membership.assignable()).map((id) => (id === undefined ? undefined : this.#membership.get(id)));
  }
}
