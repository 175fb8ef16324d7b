import { type Changed, concerns, type Decision, RecentChanges } from '@weft/grants';
import { type Brought, Right, type RightHolder } from './right.ts';

/** Questions this gateway asks again at a time: auth is asked by all gateways at once when something changes, and answers some thousands a second. */
const underWayMax = 200;
/** Nobody could say: asked again after this. */
const retryMs = 2_000;
/** So close to its end a right is not asked for in its turn: auth's clock may say that it is over, and its grace would be. */
const nearEndMs = 5_000;
/** Who is let in by a grant was asked about up to a minute ago (decision 0012). */
const changesKeptMs = 90_000;

/**
 * The rights of everybody who has a document open here, and what keeps them true (SPEC GW12–GW15): asked for again when auth says that something changed, once a minute in any case, and
 * when their time is nearly over. Nothing of it is in an edit's way.
 */
export class LiveRights {
  readonly #world: RightsWorld;
  readonly #rights = new Set<Right>();
  readonly #byUser = new Index();
  readonly #bySession = new Index();
  readonly #byDocument = new Index();
  readonly #recent: RecentChanges;
  /** By token and document: many members of the same are one question. At most one a right. */
  readonly #waiting = new Map<string, Asking>();
  readonly #underWay = new Set<string>();
  #nextId = 0;
  #isAway = false;

  constructor(world: RightsWorld) {
    this.#world = world;
    this.#recent = new RecentChanges({ now: () => world.nowMs(), keptMs: changesKeptMs });
  }

  hold(document: string, brought: Brought, holder: RightHolder): Right {
    const right = new Right(this.#nextId++, document, brought, holder, this.#world.wallMs());
    this.#rights.add(right);
    this.#index(right);
    if (this.#recent.cameSince(0, subjectOf(right))) this.#ask(right);
    return right;
  }

  /** Another token, and what it allows. */
  renew(right: Right, brought: Brought): void {
    if (!right.isHeld) return;
    this.#unindex(right);
    right.renew(brought, this.#world.wallMs());
    this.#index(right);
    if (this.#recent.cameSince(0, subjectOf(right))) this.#ask(right);
  }

  /** Another token, which nobody could be asked about: that is done later, and the right stays what it is until then. */
  renewLater(right: Right, token: string): void {
    right.token = token;
    this.#askLater(right);
  }

  drop(right: Right): void {
    right.isHeld = false;
    this.#rights.delete(right);
    this.#unindex(right);
  }

  /** What it concerns is asked for again. */
  changed(changed: Changed): void {
    this.#recent.note(changed);
    for (const right of this.#mayConcern(changed)) if (concerns(changed, subjectOf(right))) this.#enqueue(right);
    this.#pump();
  }

  /** Called in turns, `turn` running through 0..turns-1 once a minute: a change nobody heard of is found so. */
  recheck(turn: number, turns: number): void {
    const nearMs = this.#world.wallMs() + nearEndMs;
    for (const right of this.#rights) if (right.id % turns === turn && nearMs < right.allowed.untilMs) this.#enqueue(right);
    this.#pump();
  }

  /** Called a few times a second. Walks through all of them rather than keeping a timer each: an end may be further away than timers reach, and the wall clock may be set. */
  tick(): void {
    const wallMs = this.#world.wallMs();
    for (const right of this.#rights) {
      if (wallMs >= right.allowed.untilMs + right.holder.graceMs) right.holder.ended();
      else if (wallMs >= right.remindAtMs) this.#lookAfterEnd(right);
    }
    this.#pump();
  }

  /** The same token may have been given more time: guests have no other. */
  #lookAfterEnd(right: Right): void {
    right.remindAtMs = Infinity;
    right.isEnding = true;
    this.#enqueue(right);
  }

  #ask(right: Right): void {
    this.#enqueue(right);
    this.#pump();
  }

  #enqueue(right: Right): void {
    if (!right.isHeld) return;
    const key = `${right.document}\0${right.token}`;
    const asking = this.#waiting.get(key);
    if (asking) asking.rights.add(right);
    else this.#waiting.set(key, { token: right.token, document: right.document, rights: new Set([right]) });
  }

  #askLater(right: Right): void {
    if (right.isToBeAsked) return;
    right.isToBeAsked = true;
    this.#world.after(retryMs, () => {
      right.isToBeAsked = false;
      this.#ask(right);
    });
  }

  /** A question that is under way already is asked once more when it is answered: its answer may be older than what made it be asked again. */
  #pump(): void {
    if (this.#underWay.size >= underWayMax) return;
    for (const [key, asking] of this.#waiting) {
      if (this.#underWay.has(key)) continue;
      this.#waiting.delete(key);
      this.#underWay.add(key);
      void this.#asked(key, asking);
      if (this.#underWay.size >= underWayMax) return;
    }
  }

  async #asked(key: string, asking: Asking): Promise<void> {
    const decision = await this.#world.check(asking.token, asking.document).catch((error: unknown) => this.#unavailable(asking, error));
    this.#underWay.delete(key);
    for (const right of asking.rights) if (right.isHeld && right.token === asking.token) this.#answered(right, decision);
    this.#pump();
  }

  #answered(right: Right, decision: Decision | undefined): void {
    const { isEnding, allowed: before } = right;
    right.isEnding = false;
    if (decision) this.#isAway = false;
    else this.#askLater(right);
    if (decision?.allowed) this.#adopt(right, decision);
    if (decision) right.holder.decided(decision);
    if (isEnding && right.isHeld && right.allowed.untilMs <= before.untilMs) right.holder.ending();
  }

  #adopt(right: Right, allowed: Decision & { allowed: true }): void {
    this.#unindex(right);
    right.renew({ token: right.token, allowed }, this.#world.wallMs());
    this.#index(right);
  }

  /** Neither yes nor no: nothing changes, and it is asked again. Said once. */
  #unavailable({ document }: Asking, error: unknown): undefined {
    if (!this.#isAway) this.#world.report('auth-unavailable', { document, error: String(error) });
    this.#isAway = true;
    return undefined;
  }

  #mayConcern({ user, session, document }: Changed): ReadonlySet<Right> {
    const named = [
      session === undefined ? undefined : this.#bySession.of(session),
      user === undefined ? undefined : this.#byUser.of(user),
      document === undefined ? undefined : this.#byDocument.of(document),
    ].filter((rights) => rights !== undefined);
    return named.reduce((fewest, rights) => (rights.size < fewest.size ? rights : fewest), this.#rights);
  }

  #index(right: Right): void {
    const { who, session } = right.allowed;
    this.#byUser.add(who.id, right);
    if (session !== undefined) this.#bySession.add(session, right);
    this.#byDocument.add(right.document, right);
  }

  #unindex(right: Right): void {
    const { who, session } = right.allowed;
    this.#byUser.remove(who.id, right);
    if (session !== undefined) this.#bySession.remove(session, right);
    this.#byDocument.remove(right.document, right);
  }
}

interface Asking {
  readonly token: string;
  readonly document: string;
  readonly rights: Set<Right>;
}

/** What live rights need of the rest of the gateway. */
export interface RightsWorld {
  nowMs(): number;
  /** Ms since the epoch. */
  wallMs(): number;
  after(ms: number, run: () => void): void;
  /** Not out of what is kept. Rejects when nobody can say. */
  check(token: string, document: string): Promise<Decision>;
  report(event: 'auth-unavailable', fields: Record<string, unknown>): void;
}

class Index {
  readonly #rights = new Map<string, Set<Right>>();

  of(name: string): ReadonlySet<Right> {
    return this.#rights.get(name) ?? nobody;
  }

  add(name: string, right: Right): void {
    const rights = this.#rights.get(name);
    if (rights) rights.add(right);
    else this.#rights.set(name, new Set([right]));
  }

  remove(name: string, right: Right): void {
    const rights = this.#rights.get(name);
    if (rights?.delete(right) && rights.size === 0) this.#rights.delete(name);
  }
}

const nobody: ReadonlySet<Right> = new Set();

function subjectOf({ allowed: { who, session }, document }: Right): { user: string; session?: string; document: string } {
  return { user: who.id, document, ...(session === undefined ? {} : { session }) };
}
