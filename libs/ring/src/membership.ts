import type { MemberView } from './ring-report.ts';

/** Who speaks: `id` is stable over restarts, `incarnation` is new at each start. */
export interface Member {
  readonly id: string;
  readonly incarnation: string;
}

/** Heartbeats come every 0.5 s; being wrong costs duplicates only (architecture.md, section 3). */
export const goneAfterMs = 1_500;

/** `sweep` is called a few times a second. After a longer while without it this process itself stood still, and could hear nobody. */
const stoodStillMs = 1_000;

/** Far above any real cluster: a bound on what a flood of heartbeats could take. */
export const membersMax = 1_000;

interface Seen {
  readonly member: Member;
  readonly draining: boolean;
  readonly load: number;
  readonly heardAtMs: number;
  /** The incarnation this one replaced. Its last heartbeats may still be under way. */
  readonly replaced: string | undefined;
}

/** The members heard of lately, from their heartbeats. Time is passed in, ms of any one clock. */
export class Membership {
  readonly #members = new Map<string, Seen>();
  #sweptAtMs: number | undefined;
  #changed = false;

  get size(): number {
    return this.#members.size;
  }

  /** A new incarnation of an id takes the place of the old one at once. True when it changed who is there: worth a `sweep` at once. */
  hear(member: Member, draining: boolean, nowMs: number, load = 0): boolean {
    const known = this.#members.get(member.id);
    if (known === undefined && this.#members.size >= membersMax) return false;
    if (known?.replaced === member.incarnation) return false;
    const isNew = known?.member.incarnation !== member.incarnation;
    const changes = isNew || known.draining !== draining;
    if (changes) this.#changed = true;
    const replaced = isNew ? known?.member.incarnation : known.replaced;
    this.#members.set(member.id, { member, draining, load, heardAtMs: nowMs, replaced });
    return changes;
  }

  /**
   * Forgets who is silent. True when the members changed since the last sweep. A while in which this process stood still (stopped, or busy with one thing) is not
   * the others' silence: what they said meanwhile lies in its sockets, and is read only after the timers. Without this, whoever wakes would take over the whole house.
   */
  sweep(nowMs: number): boolean {
    const stoodMs = nowMs - (this.#sweptAtMs ?? nowMs);
    this.#sweptAtMs = nowMs;
    if (stoodMs > stoodStillMs)
      for (const [id, seen] of this.#members) this.#members.set(id, { ...seen, heardAtMs: Math.min(nowMs, seen.heardAtMs + stoodMs) });
    for (const [id, { heardAtMs }] of this.#members) {
      if (nowMs - heardAtMs < goneAfterMs) continue;
      this.#members.delete(id);
      this.#changed = true;
    }
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  get(id: string): Member | undefined {
    return this.#members.get(id)?.member;
  }

  /** Everybody, by id, for people to look at. */
  view(nowMs: number): MemberView[] {
    return [...this.#members.values()]
      .map(({ member, draining, load, heardAtMs }) => ({
        peer: `${member.id}/${member.incarnation}`,
        draining,
        load,
        heardMsAgo: Math.round(nowMs - heardAtMs),
      }))
      .toSorted((a, b) => (a.peer < b.peer ? -1 : 1));
  }

  /** Who has said that it leaves, and still speaks. */
  draining(): Member[] {
    return [...this.#members.values()].filter(({ draining }) => draining).map(({ member }) => member);
  }

  /** Ids that take partitions, sorted: those not draining, or all while every one of them drains. */
  assignable(): string[] {
    const all = [...this.#members.values()];
    const staying = all.filter(({ draining }) => !draining);
    return (staying.length > 0 ? staying : all).map(({ member }) => member.id).toSorted();
  }
}
