import type { IdentityStore } from '@weft/store';

import { AccountRefusal } from './account-refusal.ts';
import { serviceUser } from './bearer.ts';
import type { Journal } from './journal.ts';

export interface PeopleDeps {
  readonly store: IdentityStore;
  readonly journal: Journal;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** What admins do with other people's accounts (SPEC AC11). */
export class People {
  readonly #deps: PeopleDeps;

  constructor(deps: PeopleDeps) {
    this.#deps = deps;
  }

  /** A disabled person's sessions end; what they own stays theirs. @throws AccountRefusal */
  async setDisabled(adminId: string, userId: string, disabled: boolean, address: string): Promise<void> {
    const { store, journal, now } = this.#deps;
    if (adminId === userId && disabled) throw new AccountRefusal('conflict', 'you cannot disable yourself');
    if (!(await store.setDisabled(userId, disabled, now()))) throw new AccountRefusal('not-found', 'there is nobody of that id');
    if (disabled) await store.endSessionsOf(userId, now());
    const event = disabled ? 'user-disabled' : 'user-enabled';
    // Service tokens they made are worth nothing either, and act under names of their own.
    const services = (await store.programTokensOf(userId)).filter(({ kind }) => kind === 'service');
    const changes = services.map(({ id }) => ({ user: serviceUser(id) }));
    await journal.write({ event, actor: adminId, subject: userId, address }, { user: userId }, ...changes);
  }
}
