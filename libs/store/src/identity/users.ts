import type { Database, Row, Transaction } from '../database.ts';
import { acceptInvitations } from '../queries/identity/document-access.ts';
import { insertUser, lockPerson, selectUser, selectUserByKey } from '../queries/identity/users.ts';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string | undefined;
  /** May look after people and all documents' rights. Gives no right to read a document. */
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly createdAtMs: number;
}

/** With the hash: only for who checks or replaces a password. */
export interface UserWithPassword extends User {
  readonly passwordHash: string;
}

export interface NewUser {
  readonly id: string;
  readonly name: string;
  /** Folded: what is compared. A name's holds no "@", an address' does. */
  readonly nameKey: string;
  readonly email?: { readonly address: string; readonly key: string } | undefined;
  readonly passwordHash: string;
}

/** The person, with the roles they were invited to. undefined: name or address is taken. */
export async function addUser(database: Database, user: NewUser, nowMs: number): Promise<User | undefined> {
  return database.transaction(async (transaction) => {
    await lockPeople(transaction, [user.nameKey, ...(user.email === undefined ? [] : [user.email.key])]);
    const now = new Date(nowMs);
    const { email } = user;
    const { rows } = await transaction.query(insertUser, [
      user.id,
      user.name,
      user.nameKey,
      email?.address ?? null,
      email?.key ?? null,
      user.passwordHash,
      now,
    ]);
    if (rows[0] === undefined) return undefined;
    await transaction.query(acceptInvitations, [user.id, user.nameKey, email?.key ?? null, now]);
    return userOf(rows[0]);
  });
}

/** In one order, so that two transactions cannot lock each other out. */
export async function lockPeople(transaction: Transaction, keys: readonly string[]): Promise<void> {
  for (const key of keys.toSorted()) await transaction.query(lockPerson, [key]);
}

export async function findUserByKey(database: Transaction, key: string): Promise<UserWithPassword | undefined> {
  const { rows } = await database.query(selectUserByKey, [key]);
  return rows[0] && withPassword(rows[0]);
}

export async function findUser(database: Transaction, id: string): Promise<UserWithPassword | undefined> {
  const { rows } = await database.query(selectUser, [id]);
  return rows[0] && withPassword(rows[0]);
}

function withPassword(row: Row): UserWithPassword {
  return { ...userOf(row), passwordHash: String(row['password_hash']) };
}

function userOf(row: Row): User {
  return {
    id: String(row['id']),
    name: String(row['user_name']),
    email: (row['email'] as string | null) ?? undefined,
    admin: row['admin'] === true,
    disabled: row['disabled'] === true,
    createdAtMs: (row['created_at'] as Date).getTime(),
  };
}
