import type { Changed } from '@weft/grants';
import type { GivenRole, IdentityStore, LinkAccess, Person, RoleChange } from '@weft/store';

import { AccountRefusal } from './account-refusal.ts';
import type { Journal } from './journal.ts';
import { person } from './person-names.ts';

export interface DocumentRightsDeps {
  readonly store: IdentityStore;
  readonly journal: Journal;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** Who asks, and from where. */
export interface Asker {
  readonly userId: string;
  readonly session: string | undefined;
  readonly address: string;
}

export interface RightsOfDocument {
  readonly role: Person['role'] | undefined;
  readonly link: LinkAccess;
  /** For owner and admin; others are not shown who else there is. */
  readonly people: readonly Person[] | undefined;
  /** Ms since the epoch. Then all this counts for nothing until it is restored. */
  readonly deletedAtMs: number | undefined;
}

/** Who may what with one document, as its owner and admins see and change it (SPEC AC12–AC15). Every change is told to who keeps allowances. */
export class DocumentRights {
  readonly #deps: DocumentRightsDeps;

  constructor(deps: DocumentRightsDeps) {
    this.#deps = deps;
  }

  /** @throws AccountRefusal for who has no role: they are not told whether there is such a document. */
  async see(asker: Asker, document: string): Promise<RightsOfDocument> {
    const { role, link, deletedAtMs, mayChange } = await this.#standing(asker, document);
    if (role === undefined && !mayChange) throw forbidden();
    if (link === undefined) throw notThere();
    return { role, link, people: mayChange ? await this.#deps.store.peopleOf(document) : undefined, deletedAtMs };
  }

  /** `to` is a user name or an e-mail address; nobody's yet: the role waits for their sign-up. @throws AccountRefusal */
  async give(asker: Asker, document: string, to: string, role: GivenRole | 'owner'): Promise<{ readonly invited: boolean }> {
    const addressee = person(to);
    await this.#mustBeAllowed(asker, document);
    const { store, now } = this.#deps;
    const nowMs = now();
    const change =
      role === 'owner'
        ? await store.giveOwnership(document, addressee, nowMs)
        : await store.giveRole(document, { to: addressee, role, nowMs });
    const userId = done(change);
    const event = userId === undefined ? 'invited' : 'role-given';
    // With the ownership two people's roles change.
    const changed: Changed = role === 'owner' || userId === undefined ? { document } : { document, user: userId };
    await this.#told(asker, { event, document, subject: userId ?? addressee.key, detail: role }, changed);
    return { invited: userId === undefined };
  }

  /** @throws AccountRefusal */
  async take(asker: Asker, document: string, from: string): Promise<void> {
    const addressee = person(from);
    await this.#mustBeAllowed(asker, document);
    const userId = done(await this.#deps.store.takeRole(document, addressee));
    const event = userId === undefined ? 'invitation-taken-back' : 'role-taken';
    const changed = userId === undefined ? [] : [{ document, user: userId }];
    await this.#told(asker, { event, document, subject: userId ?? addressee.key }, ...changed);
  }

  /** @throws AccountRefusal */
  async setLink(asker: Asker, document: string, link: LinkAccess): Promise<void> {
    await this.#mustBeThere(asker, document);
    if (!(await this.#deps.store.setLink(document, link))) throw isDeleted();
    await this.#told(asker, { event: 'link-set', document, detail: link }, { document });
  }

  /** Nobody has a right to it then, and nothing it has is touched. @throws AccountRefusal */
  async delete(asker: Asker, document: string): Promise<void> {
    await this.#mustBeThere(asker, document);
    const { store, now } = this.#deps;
    if (!(await store.deleteDocument(document, now()))) throw new AccountRefusal('conflict', 'this document is deleted already');
    await this.#told(asker, { event: 'document-deleted', document }, { document });
  }

  /** As it was. @throws AccountRefusal */
  async restore(asker: Asker, document: string): Promise<void> {
    await this.#mustBeThere(asker, document);
    if (!(await this.#deps.store.restoreDocument(document))) throw new AccountRefusal('conflict', 'this document is not deleted');
    await this.#told(asker, { event: 'document-restored', document }, { document });
  }

  /** Once it is there it stays, so what the store then does not do has another reason. */
  async #mustBeThere(asker: Asker, document: string): Promise<void> {
    if ((await this.#mustBeAllowed(asker, document)) === undefined) throw notThere();
  }

  /** Gives the link's access as it is. */
  async #mustBeAllowed(asker: Asker, document: string): Promise<LinkAccess | undefined> {
    const { mayChange, link } = await this.#standing(asker, document);
    if (mayChange) return link;
    this.#deps.journal.note({ event: 'rights-change-refused', actor: asker.userId, document, address: asker.address });
    throw forbidden();
  }

  async #standing({ userId, session }: Asker, document: string) {
    const standing = await this.#deps.store.standingOf({ userId, sessionId: session, document }, this.#deps.now());
    if (standing === undefined || !standing.sessionLives || standing.disabled) throw new AccountRefusal('signed-out', 'sign in again');
    const { role, link, deletedAtMs } = standing;
    return { role, link, deletedAtMs, mayChange: role === 'owner' || standing.admin };
  }

  #told(asker: Asker, entry: { event: string; document: string; subject?: string; detail?: string }, ...changed: Changed[]): Promise<void> {
    return this.#deps.journal.write({ ...entry, actor: asker.userId, address: asker.address }, ...changed);
  }
}

/** Whose role changed; undefined: somebody's who has not signed up. */
function done(change: RoleChange): string | undefined {
  switch (change.outcome) {
    case 'done':
      return change.userId;
    case 'unknown-document':
      throw notThere();
    case 'deleted':
      throw isDeleted();
    case 'is-owner':
      throw new AccountRefusal('conflict', 'this is the owner: give the ownership to somebody else first');
    case 'unknown-person':
      throw new AccountRefusal('not-found', 'there is nobody of that name or address here');
    case 'too-many':
      throw new AccountRefusal('conflict', 'too many people have this document: take somebody’s role first');
  }
}

function forbidden(): AccountRefusal {
  return new AccountRefusal('forbidden', 'only the owner of a document may do this');
}

function isDeleted(): AccountRefusal {
  return new AccountRefusal('conflict', 'this document is deleted: restore it first');
}

function notThere(): AccountRefusal {
  return new AccountRefusal('not-found', 'nobody has opened this document yet');
}
