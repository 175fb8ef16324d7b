import type { IdentityStore, User } from '@weft/store';

import type { SigningKey } from '../signing-key.ts';
import { signToken } from '../token.ts';
import { AccountRefusal } from './account-refusal.ts';
import type { Journal } from './journal.ts';
import type { Passwords } from './passwords.ts';
import { accountKey, email, userName } from './person-names.ts';
import { REFRESH_PREFIX, hashOfSecret, newSecret } from './secrets.ts';
import type { SignInLimits } from './sign-in-limits.ts';

export interface AccountsDeps {
  readonly store: IdentityStore;
  readonly journal: Journal;
  readonly passwords: Passwords;
  readonly limits: SignInLimits;
  /** The key that signs now. */
  readonly signer: () => SigningKey;
  /** Ms since the epoch. */
  readonly now: () => number;
}

export interface AccountsPolicy {
  /** Whether anybody may make an account. */
  readonly signUp: boolean;
  /** How long a sign-in lasts; refreshing does not prolong it. */
  readonly sessionLifetimeMs: number;
}

/** An access token's: so long at most a person is believed without a look at the tables. */
export const ACCESS_LIFETIME_MS = 15 * 60_000;

export interface NewAccount {
  readonly userName: string;
  readonly email?: string | undefined;
  readonly password: string;
}

export interface SignedIn {
  readonly user: User;
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessExpiresAtMs: number;
  readonly refreshToken: string;
  readonly refreshExpiresAtMs: number;
}

const NOT_SIGNED_IN = 'this sign-in is over: sign in again';

/** Sign up, in, on and out (SPEC AC1–AC9, AC16). `address` is the client's. Every call rejects with AccountRefusal, or StoreUnavailable when Postgres is away. */
export class Accounts {
  readonly #deps: AccountsDeps;
  readonly #policy: AccountsPolicy;

  constructor(deps: AccountsDeps, policy: AccountsPolicy) {
    this.#deps = deps;
    this.#policy = policy;
  }

  async signUp(account: NewAccount, address: string): Promise<SignedIn> {
    if (!this.#policy.signUp) throw new AccountRefusal('forbidden', 'accounts are made by the operator here');
    const { store, journal, passwords, limits, now } = this.#deps;
    const name = userName(account.userName);
    const mail = account.email === undefined ? undefined : email(account.email);
    await limits.attempt(undefined, address);
    // Before it is known whether the name is free: the answer takes as long either way.
    const passwordHash = await passwords.hash(account.password);
    const user = await store.addUser(
      {
        id: crypto.randomUUID(),
        name: name.spelled,
        nameKey: name.key,
        email: mail && { address: mail.spelled, key: mail.key },
        passwordHash,
      },
      now(),
    );
    if (user === undefined) {
      await journal.write({ event: 'sign-up-refused', address, detail: 'taken' });
      throw new AccountRefusal('taken', 'this user name or e-mail address is taken');
    }
    await journal.write({ event: 'sign-up', actor: user.id, address });
    return this.#start(user);
  }

  async signIn(given: { readonly account: string; readonly password: string }, address: string): Promise<SignedIn> {
    const { store, journal, passwords, limits } = this.#deps;
    const key = accountKey(given.account);
    await limits.attempt(key, address);
    const user = await store.findUserByKey(key);
    const right = await passwords.verify(given.password, user?.passwordHash);
    if (user === undefined || !right) {
      await journal.write({ event: 'sign-in-refused', subject: user?.id, address, detail: user === undefined ? 'no account' : 'password' });
      throw new AccountRefusal('wrong-credentials', 'account or password is wrong');
    }
    await limits.succeeded(key, address);
    if (user.disabled) {
      await journal.write({ event: 'sign-in-refused', subject: user.id, address, detail: 'disabled' });
      throw new AccountRefusal('disabled', 'this account is disabled');
    }
    await journal.write({ event: 'sign-in', actor: user.id, address });
    return this.#start(user);
  }

  /** A new access token, and the refresh token that follows the one given. One that was used before ends its session. */
  async refresh(refreshToken: string, address: string): Promise<SignedIn> {
    const signedIn = await this.#refresh(refreshToken, address);
    if (signedIn !== undefined) return signedIn;
    // Pages ask without one when nobody is signed in: that tries nothing.
    if (refreshToken !== '') await this.#deps.limits.refreshFailed(address);
    throw new AccountRefusal('signed-out', NOT_SIGNED_IN);
  }

  /** undefined: the token is worth nothing, or not any more. */
  async #refresh(refreshToken: string, address: string): Promise<SignedIn | undefined> {
    const { store, journal, now } = this.#deps;
    const hash = hashOfSecret(refreshToken, REFRESH_PREFIX);
    if (hash === undefined) return undefined;
    const next = newSecret(REFRESH_PREFIX);
    const rotation = await store.rotateRefreshToken({ hash, nextHash: next.hash, nowMs: now() });
    switch (rotation.outcome) {
      case 'rotated': {
        const { user, sessionId, expiresAtMs } = rotation;
        return this.#signedIn(user, sessionId, { text: next.text, expiresAtMs });
      }
      case 'reused': {
        const { userId, sessionId, ended } = rotation;
        const entry = { event: 'refresh-token-reused', subject: userId, address, detail: `session ${sessionId}` };
        // Also where the session is over: a word on the bus may have been lost.
        if (ended) await journal.write(entry, { user: userId, session: sessionId });
        else journal.note(entry);
        return undefined;
      }
      case 'refused':
        return undefined;
    }
  }

  /** Ends one session of the person; nothing happens when it is over already. */
  async signOut(userId: string, sessionId: string, address: string): Promise<void> {
    const { store, journal, now } = this.#deps;
    if (!(await store.endSession(userId, sessionId, now()))) return;
    await journal.write(
      { event: 'sign-out', actor: userId, address, detail: `session ${sessionId}` },
      { user: userId, session: sessionId },
    );
  }

  /** Ends all sessions of the person. Personal tokens stay: they are ended one by one. */
  async signOutEverywhere(userId: string, address: string): Promise<void> {
    const { store, journal, now } = this.#deps;
    const ended = await store.endSessionsOf(userId, now());
    await journal.write({ event: 'sign-out-everywhere', actor: userId, address, detail: `${ended.length} sessions` }, { user: userId });
  }

  /** Ends all other sessions, too: whoever had the old password is out. */
  async changePassword(userId: string, change: { readonly from: string; readonly to: string }, address: string): Promise<SignedIn> {
    const { store, journal, passwords, limits, now } = this.#deps;
    const user = await store.findUser(userId);
    if (user === undefined) throw new AccountRefusal('signed-out', NOT_SIGNED_IN);
    await limits.attempt(accountKey(user.name), address);
    if (!(await passwords.verify(change.from, user.passwordHash))) {
      await journal.write({ event: 'password-change-refused', actor: userId, address });
      throw new AccountRefusal('wrong-credentials', 'the password until now is wrong');
    }
    const hash = await passwords.hash(change.to);
    await limits.succeeded(accountKey(user.name), address);
    await store.setPassword(userId, hash);
    await store.endSessionsOf(userId, now());
    await journal.write({ event: 'password-changed', actor: userId, address }, { user: userId });
    return this.#start(user);
  }

  async #start(user: User): Promise<SignedIn> {
    const { store, journal, now } = this.#deps;
    const refresh = newSecret(REFRESH_PREFIX);
    const sessionId = crypto.randomUUID();
    const createdAtMs = now();
    const expiresAtMs = createdAtMs + this.#policy.sessionLifetimeMs;
    const ended = await store.startSession({ id: sessionId, userId: user.id, createdAtMs, expiresAtMs, refreshHash: refresh.hash });
    const changes = ended.map((session) => ({ user: user.id, session }));
    if (ended.length > 0) await journal.write({ event: 'sessions-ended', subject: user.id, detail: 'too many' }, ...changes);
    return this.#signedIn(user, sessionId, { text: refresh.text, expiresAtMs });
  }

  async #signedIn(user: User, sessionId: string, refresh: { text: string; expiresAtMs: number }): Promise<SignedIn> {
    const nowMs = this.#deps.now();
    const lifetimeMs = Math.min(ACCESS_LIFETIME_MS, refresh.expiresAtMs - nowMs);
    const access = await signToken(this.#deps.signer(), { sub: user.id, name: user.name, session: sessionId }, nowMs, lifetimeMs);
    return {
      user,
      sessionId,
      accessToken: access.token,
      accessExpiresAtMs: access.expiresAtMs,
      refreshToken: refresh.text,
      refreshExpiresAtMs: refresh.expiresAtMs,
    };
  }
}
