import type { Database } from '../database.ts';
import { updateAdmin, updateDisabled, updatePassword } from '../queries/identity/users.ts';
import * as auditing from './audit.ts';
import * as access from './document-access.ts';
import * as tokens from './program-tokens.ts';
import * as sessions from './sessions.ts';
import * as users from './users.ts';

/**
 * People, sessions, tokens and rights in PostgreSQL; only auth reads or writes them. Every call rejects with StoreUnavailable when Postgres is
 * away. Keys are folded by the caller; texts hold no NUL.
 */
export class IdentityStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  addUser(user: users.NewUser, nowMs: number): Promise<users.User | undefined> {
    return users.addUser(this.#database, user, nowMs);
  }

  findUser(id: string): Promise<users.UserWithPassword | undefined> {
    return users.findUser(this.#database, id);
  }

  findUserByKey(key: string): Promise<users.UserWithPassword | undefined> {
    return users.findUserByKey(this.#database, key);
  }

  /** False: there is nobody of that id. */
  async setDisabled(id: string, disabled: boolean, nowMs: number): Promise<boolean> {
    return (await this.#database.query(updateDisabled, [id, disabled ? new Date(nowMs) : null])).rowCount === 1;
  }

  async setAdmin(id: string, admin: boolean): Promise<boolean> {
    return (await this.#database.query(updateAdmin, [id, admin])).rowCount === 1;
  }

  async setPassword(id: string, hash: string): Promise<boolean> {
    return (await this.#database.query(updatePassword, [id, hash])).rowCount === 1;
  }

  startSession(session: sessions.NewSession): Promise<readonly string[]> {
    return sessions.startSession(this.#database, session);
  }

  rotateRefreshToken(rotation: sessions.Rotation): Promise<sessions.RotationOutcome> {
    return sessions.rotateRefreshToken(this.#database, rotation);
  }

  endSession(userId: string, sessionId: string, nowMs: number): Promise<boolean> {
    return sessions.endSession(this.#database, userId, sessionId, nowMs);
  }

  endSessionsOf(userId: string, nowMs: number): Promise<readonly string[]> {
    return sessions.endSessionsOf(this.#database, userId, nowMs);
  }

  sessionsOf(userId: string, nowMs: number): Promise<readonly sessions.Session[]> {
    return sessions.sessionsOf(this.#database, userId, nowMs);
  }

  addProgramToken(token: tokens.NewProgramToken): Promise<boolean> {
    return tokens.addProgramToken(this.#database, token);
  }

  programTokensOf(userId: string): Promise<readonly tokens.ProgramToken[]> {
    return tokens.programTokensOf(this.#database, userId);
  }

  endProgramToken(userId: string, id: string, nowMs: number): Promise<tokens.ProgramToken['kind'] | undefined> {
    return tokens.endProgramToken(this.#database, userId, id, nowMs);
  }

  bearerOf(hash: Uint8Array, nowMs: number): Promise<tokens.TokenBearer | undefined> {
    return tokens.bearerOf(this.#database, hash, nowMs);
  }

  standingOf(asked: access.Asked, nowMs: number): Promise<access.Standing | undefined> {
    return access.standingOf(this.#database, asked, nowMs);
  }

  accessTo(document: string): Promise<access.Access | undefined> {
    return access.accessTo(this.#database, document);
  }

  claimDocument(document: string, userId: string, nowMs: number): Promise<boolean> {
    return access.claimDocument(this.#database, document, userId, nowMs);
  }

  peopleOf(document: string): Promise<readonly access.Person[]> {
    return access.peopleOf(this.#database, document);
  }

  setLink(document: string, link: access.LinkAccess): Promise<boolean> {
    return access.setLink(this.#database, document, link);
  }

  deleteDocument(document: string, nowMs: number): Promise<boolean> {
    return access.deleteDocument(this.#database, document, nowMs);
  }

  restoreDocument(document: string): Promise<boolean> {
    return access.restoreDocument(this.#database, document);
  }

  giveRole(document: string, change: { to: access.Addressee; role: access.GivenRole; nowMs: number }): Promise<access.RoleChange> {
    return access.giveRole(this.#database, document, change);
  }

  takeRole(document: string, from: access.Addressee): Promise<access.RoleChange> {
    return access.takeRole(this.#database, document, from);
  }

  giveOwnership(document: string, to: access.Addressee, nowMs: number): Promise<access.RoleChange> {
    return access.giveOwnership(this.#database, document, to, nowMs);
  }

  appendAudit(entries: readonly auditing.AuditEntry[]): Promise<void> {
    return auditing.appendAudit(this.#database, entries);
  }

  readAudit(part: { beforeId?: number | undefined; limit: number }): Promise<readonly auditing.StoredAuditEntry[]> {
    return auditing.readAudit(this.#database, part);
  }

  forgetOld(before: { sessionsMs: number; auditMs: number }): Promise<{ sessions: number; audit: number }> {
    return auditing.forgetOld(this.#database, before);
  }
}
