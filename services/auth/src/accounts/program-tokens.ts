import type { Rights } from '@weft/grants';
import type { IdentityStore, ProgramToken } from '@weft/store';

import { AccountRefusal } from './account-refusal.ts';
import { serviceUser } from './bearer.ts';
import type { Journal } from './journal.ts';
import { PERSONAL_PREFIX, SERVICE_PREFIX, newSecret } from './secrets.ts';

export interface WantedToken {
  readonly kind: 'personal' | 'service';
  readonly label: string;
  /** A personal token's may be left out: it is not narrowed then. */
  readonly documents: Rights | undefined;
  readonly lifetimeMs: number | undefined;
}

export interface Owner {
  readonly userId: string;
  readonly admin: boolean;
}

export interface ProgramTokensDeps {
  readonly store: Pick<IdentityStore, 'addProgramToken' | 'endProgramToken' | 'programTokensOf'>;
  readonly journal: Journal;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** Tokens for programs (SPEC AC10): a personal one acts for its person, a service one, which only an admin makes, for itself. */
export class ProgramTokens {
  readonly #deps: ProgramTokensDeps;

  constructor(deps: ProgramTokensDeps) {
    this.#deps = deps;
  }

  /** `secret` is given here, and never again. @throws AccountRefusal */
  async make(owner: Owner, wanted: WantedToken, address: string): Promise<{ readonly token: ProgramToken; readonly secret: string }> {
    const { kind, label, documents, lifetimeMs } = wanted;
    if (kind === 'service' && !owner.admin) throw new AccountRefusal('forbidden', 'only an admin makes service tokens');
    if (kind === 'service' && documents === undefined) {
      throw new AccountRefusal('bad-request', 'a service token needs documents: an object of document name or prefix* to role');
    }
    const nowMs = this.#deps.now();
    const secret = newSecret(kind === 'personal' ? PERSONAL_PREFIX : SERVICE_PREFIX);
    const expiresAtMs = lifetimeMs === undefined ? undefined : nowMs + lifetimeMs;
    const token: ProgramToken = { id: crypto.randomUUID(), kind, label, documents, createdAtMs: nowMs, expiresAtMs };
    if (!(await this.#deps.store.addProgramToken({ ...token, userId: owner.userId, hash: secret.hash }))) {
      throw new AccountRefusal('conflict', 'too many tokens: end one that is not needed any more');
    }
    await this.#deps.journal.write({ event: `${kind}-token-made`, actor: owner.userId, subject: token.id, address });
    return { token, secret: secret.text };
  }

  list({ userId }: Owner): Promise<readonly ProgramToken[]> {
    return this.#deps.store.programTokensOf(userId);
  }

  /** @throws AccountRefusal */
  async end({ userId }: Owner, id: string, address: string): Promise<void> {
    const { store, journal, now } = this.#deps;
    const kind = await store.endProgramToken(userId, id, now());
    if (kind === undefined) throw new AccountRefusal('not-found', 'you have no such token');
    const user = kind === 'personal' ? userId : serviceUser(id);
    await journal.write({ event: `${kind}-token-ended`, actor: userId, subject: id, address }, { user });
  }
}
