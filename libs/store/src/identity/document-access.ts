import type { Database, Transaction } from '../database.ts';
import {
  countPeople,
  deleteInvitation,
  deleteRole,
  insertOwner,
  lockDocument,
  markDeleted,
  selectAccess,
  selectPeople,
  selectStanding,
  unmarkDeleted,
  updateLink,
  updateOwner,
  upsertInvitation,
  upsertRole,
} from '../queries/identity/document-access.ts';
import { findUserByKey, lockPeople } from './users.ts';

/** What who has the document's name, and no role, may do. */
export type LinkAccess = 'none' | 'read' | 'edit';
export type GivenRole = 'editor' | 'commenter' | 'viewer';

/** All that decides about a person and a document, as of one moment. */
export interface Standing {
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** The session asked about is this person's and alive; true when none was asked about. */
  readonly sessionLives: boolean;
  /** Of this person: `undefined`, none. */
  readonly role: 'owner' | GivenRole | undefined;
  /** undefined: nobody opened or gave away this document yet. */
  readonly link: LinkAccess | undefined;
  /** Then nobody has a right to it, whatever role and link say. undefined: it is not. */
  readonly deletedAtMs: number | undefined;
}

/** What is true of a document for everybody. */
export interface Access {
  readonly link: LinkAccess;
  /** Then nobody has a right to it. */
  readonly deleted: boolean;
}

export interface Asked {
  readonly userId: string;
  readonly sessionId?: string | undefined;
  readonly document: string;
}

/** Somebody with a role, or who will have it when they sign up. */
export interface Person {
  /** undefined: invited. */
  readonly userId: string | undefined;
  readonly name: string;
  readonly role: 'owner' | GivenRole;
  readonly knownBy: 'email' | 'user-name' | undefined;
}

/** Whom a role is given to: somebody's name or address, as it was spelled and folded. */
export interface Addressee {
  readonly knownBy: 'email' | 'user-name';
  readonly key: string;
  readonly spelled: string;
}

export type RoleChange =
  /** `userId` undefined: an invitation. */
  | { readonly outcome: 'done'; readonly userId: string | undefined }
  | { readonly outcome: 'unknown-document' | 'deleted' | 'is-owner' | 'unknown-person' | 'too-many' };

/** With a role or invited, of one document. */
const PEOPLE_MAX = 1000;

export async function standingOf(database: Transaction, asked: Asked, nowMs: number): Promise<Standing | undefined> {
  const { rows } = await database.query(selectStanding, [asked.userId, asked.sessionId ?? null, asked.document, new Date(nowMs)]);
  const row = rows[0];
  if (row === undefined) return undefined;
  return {
    name: String(row['user_name']),
    admin: row['admin'] === true,
    disabled: row['disabled'] === true,
    sessionLives: row['session_lives'] === true,
    role: row['owner_id'] === asked.userId ? 'owner' : ((row['role'] as GivenRole | null) ?? undefined),
    link: (row['link'] as LinkAccess | null) ?? undefined,
    deletedAtMs: (row['deleted_at'] as Date | null)?.getTime(),
  };
}

/** undefined: nobody has the document yet. */
export async function accessTo(database: Database, document: string): Promise<Access | undefined> {
  const row = (await database.query(selectAccess, [document])).rows[0];
  return row && { link: row['link'] as LinkAccess, deleted: row['deleted'] === true };
}

/** Whose a document nobody has yet becomes. False: somebody was first, also where it is deleted. */
export async function claimDocument(database: Database, document: string, userId: string, nowMs: number): Promise<boolean> {
  return (await database.query(insertOwner, [document, userId, new Date(nowMs)])).rowCount === 1;
}

export async function peopleOf(database: Database, document: string): Promise<readonly Person[]> {
  const { rows } = await database.query(selectPeople, [document]);
  return rows.map((row) => ({
    userId: (row['id'] as string | null) ?? undefined,
    name: String(row['name']),
    role: row['role'] as Person['role'],
    knownBy: (row['known_by'] as Person['knownBy'] | null) ?? undefined,
  }));
}

/** False: nobody has the document yet, or it is deleted. */
export async function setLink(database: Database, document: string, link: LinkAccess): Promise<boolean> {
  return (await database.query(updateLink, [document, link])).rowCount === 1;
}

/** All it has stays as it is. False: nobody has it yet, or it is deleted already. */
export async function deleteDocument(database: Database, document: string, nowMs: number): Promise<boolean> {
  return (await database.query(markDeleted, [document, new Date(nowMs)])).rowCount === 1;
}

/** False: it is not deleted. */
export async function restoreDocument(database: Database, document: string): Promise<boolean> {
  return (await database.query(unmarkDeleted, [document])).rowCount === 1;
}

/** A role now, or, when nobody of that name or address is there, when they sign up. The owner keeps the ownership: give it away first. */
export async function giveRole(
  database: Database,
  document: string,
  change: { readonly to: Addressee; readonly role: GivenRole; readonly nowMs: number },
): Promise<RoleChange> {
  const { to, role, nowMs } = change;
  return database.transaction(async (transaction): Promise<RoleChange> => {
    await lockPeople(transaction, [to.key]);
    const access = await lockToChange(transaction, document);
    if ('outcome' in access) return access;
    const user = await findUserByKey(transaction, to.key);
    if (user !== undefined && access.ownerId === user.id) return { outcome: 'is-owner' };
    const { rows } = await transaction.query(countPeople, [document]);
    if (Number(rows[0]?.['people']) >= PEOPLE_MAX) return { outcome: 'too-many' };
    const now = new Date(nowMs);
    if (user === undefined) await transaction.query(upsertInvitation, [document, to.knownBy, to.key, to.spelled, role, now]);
    else await transaction.query(upsertRole, [document, user.id, role, now]);
    return { outcome: 'done', userId: user?.id };
  });
}

export async function takeRole(database: Database, document: string, from: Addressee): Promise<RoleChange> {
  return database.transaction(async (transaction): Promise<RoleChange> => {
    await lockPeople(transaction, [from.key]);
    const access = await lockToChange(transaction, document);
    if ('outcome' in access) return access;
    const user = await findUserByKey(transaction, from.key);
    if (user !== undefined && access.ownerId === user.id) return { outcome: 'is-owner' };
    const { rowCount } =
      user === undefined
        ? await transaction.query(deleteInvitation, [document, from.knownBy, from.key])
        : await transaction.query(deleteRole, [document, user.id]);
    return rowCount === 1 ? { outcome: 'done', userId: user?.id } : { outcome: 'unknown-person' };
  });
}

/** The owner until now stays as an editor. `userId` of the outcome is the owner until now. */
export async function giveOwnership(database: Database, document: string, to: Addressee, nowMs: number): Promise<RoleChange> {
  return database.transaction(async (transaction): Promise<RoleChange> => {
    const access = await lockToChange(transaction, document);
    if ('outcome' in access) return access;
    const user = await findUserByKey(transaction, to.key);
    if (user === undefined) return { outcome: 'unknown-person' };
    const before = access.ownerId;
    if (before === user.id) return { outcome: 'is-owner' };
    await transaction.query(updateOwner, [document, user.id]);
    await transaction.query(deleteRole, [document, user.id]);
    if (before !== null) await transaction.query(upsertRole, [document, before, 'editor', new Date(nowMs)]);
    return { outcome: 'done', userId: user.id };
  });
}

/** Changes of one document's rights take turns, and wait for who deletes it. */
async function lockToChange(
  transaction: Transaction,
  document: string,
): Promise<{ readonly ownerId: string | null } | { readonly outcome: 'unknown-document' | 'deleted' }> {
  const row = (await transaction.query(lockDocument, [document])).rows[0];
  if (row === undefined) return { outcome: 'unknown-document' };
  return row['deleted'] === true ? { outcome: 'deleted' } : { ownerId: row['owner_id'] as string | null };
}
