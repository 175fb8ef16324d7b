import { ROLES, roleFor } from '@weft/grants';
import type { Decision, Question, Role } from '@weft/grants';
import { StoreUnavailable } from '@weft/store';
import type { IdentityStore, LinkAccess } from '@weft/store';

import { bearerOf } from '../accounts/bearer.ts';
import type { Bearer } from '../accounts/bearer.ts';
import type { Journal } from '../accounts/journal.ts';
import type { VerifyingKeys } from '../signing-key.ts';
import { TokenError } from '../token.ts';
import { decideAtOnce, refuse } from './at-once.ts';
import type { Policy } from './at-once.ts';
import { DeciderUnavailable } from './decider.ts';
import type { Decider } from './decider.ts';

export interface BuiltinDeciderDeps {
  readonly store: IdentityStore;
  readonly journal: Pick<Journal, 'write' | 'note'>;
  /** As they are now. */
  readonly keys: () => VerifyingKeys;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** What a link may give to a guest at most. */
  readonly policy: Policy;
}

interface Rightful {
  readonly role?: Role | undefined;
  readonly link?: LinkAccess | undefined;
  readonly deletedAtMs?: number | undefined;
}

const DELETED = 'this document was deleted';

/** `WEFT_AUTH=builtin`: the token says who and which session; our tables say the rest, for each question (SPEC BD1–BD7, docs/decisions/0013). */
export class BuiltinDecider implements Decider {
  readonly #deps: BuiltinDeciderDeps;

  constructor(deps: BuiltinDeciderDeps) {
    this.#deps = deps;
  }

  async decide(question: Question): Promise<Decision> {
    const nowMs = this.#deps.now();
    try {
      const atOnce = decideAtOnce(question, this.#deps.policy, nowMs);
      // An allowed guest has, of what the policy gives, only what the document's link gives.
      if (atOnce?.allowed === true) return await this.#guest(atOnce, question.document);
      return atOnce ?? (await this.#decideFor(await bearerOf(question.token, this.#deps, nowMs), question.document, nowMs));
    } catch (error) {
      if (error instanceof TokenError) return refuse(401, error.message);
      if (error instanceof StoreUnavailable) throw new DeciderUnavailable('Postgres is away: rights cannot be looked up', { cause: error });
      throw error;
    }
  }

  async #guest(allowed: Extract<Decision, { allowed: true }>, document: string): Promise<Decision> {
    const access = await this.#deps.store.accessTo(document);
    const role = roleOfLink(access?.link);
    if (role === undefined) return refuse(401, 'a token is needed');
    return access?.deleted === true ? refuse(403, DELETED) : { ...allowed, role: lower(allowed.role, role) };
  }

  async #decideFor(bearer: Bearer, document: string, nowMs: number): Promise<Decision> {
    switch (bearer.kind) {
      case 'service': {
        const role = roleFor(bearer.documents, document);
        if (role === undefined) return refuse(403, 'token gives no right to this document');
        // Its patterns name documents that nobody has, too: only what was deleted is looked up.
        if ((await this.#deps.store.accessTo(document))?.deleted === true) return refuse(403, DELETED);
        return { allowed: true, role, who: { id: bearer.id, name: bearer.label }, untilMs: bearer.untilMs };
      }
      case 'person':
        return this.#person(bearer, document, nowMs);
    }
  }

  async #person(bearer: Extract<Bearer, { kind: 'person' }>, document: string, nowMs: number): Promise<Decision> {
    const { userId, session, documents, untilMs } = bearer;
    const standing = await this.#standing(userId, session, document, nowMs);
    // One text for all three: a token alone shall not tell what became of an account.
    if (standing === undefined || !standing.sessionLives || standing.disabled) return refuse(401, 'this sign-in is over: sign in again');
    const most = documents === undefined ? 'owner' : roleFor(documents, document);
    if (most === undefined) return refuse(403, 'token gives no right to this document');
    const isNobodys = standing.link === undefined;
    const { role, link, deletedAtMs } = isNobodys && most === 'owner' ? await this.#claim(bearer, document, nowMs) : standing;
    const own = higher(role, roleOfLink(link));
    if (own === undefined) {
      this.#deps.journal.note({ event: 'document-refused', actor: userId, document });
      return refuse(403, 'you have no right to this document');
    }
    if (deletedAtMs !== undefined) {
      this.#deps.journal.note({ event: 'document-refused', actor: userId, document, detail: 'deleted' });
      return refuse(403, DELETED);
    }
    const who = { id: userId, name: standing.name };
    return { allowed: true, role: lower(own, most), who, untilMs, ...(session === undefined ? {} : { session }) };
  }

  /** A document nobody has belongs to the person who opens it first. Who comes second finds it taken. */
  async #claim({ userId, session }: { userId: string; session: string | undefined }, document: string, nowMs: number): Promise<Rightful> {
    const { store, journal } = this.#deps;
    if (!(await store.claimDocument(document, userId, nowMs))) return (await this.#standing(userId, session, document, nowMs)) ?? {};
    await journal.write({ event: 'document-claimed', actor: userId, document });
    return { role: 'owner' };
  }

  #standing(userId: string, sessionId: string | undefined, document: string, nowMs: number) {
    return this.#deps.store.standingOf({ userId, sessionId, document }, nowMs);
  }
}

function roleOfLink(link: LinkAccess | undefined): Role | undefined {
  switch (link) {
    case 'read':
      return 'viewer';
    case 'edit':
      return 'editor';
    case 'none':
    case undefined:
      return undefined;
  }
}

/** Of two roles the one that gives more. */
function higher(one: Role | undefined, other: Role | undefined): Role | undefined {
  return one === undefined || other === undefined ? (one ?? other) : ROLES[Math.min(ROLES.indexOf(one), ROLES.indexOf(other))];
}

/** Of two roles what both give. */
function lower(one: Role, other: Role): Role {
  return ROLES[Math.max(ROLES.indexOf(one), ROLES.indexOf(other))] as Role;
}
