import type { Database, Row } from '../database.ts';
import {
  insertRefreshToken,
  insertSession,
  lockSession,
  revokeOldestSessions,
  revokeSession,
  revokeSessionsOf,
  selectRefreshToken,
  selectSessionsOf,
  useRefreshToken,
} from '../queries/identity/sessions.ts';
import { findUser } from './users.ts';
import type { User } from './users.ts';

export interface Session {
  readonly id: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface NewSession extends Session {
  readonly userId: string;
  /** SHA-256 of the first refresh token. */
  readonly refreshHash: Uint8Array;
}

export interface Rotation {
  /** SHA-256 of the token that was brought, and of the one that follows it. */
  readonly hash: Uint8Array;
  readonly nextHash: Uint8Array;
  readonly nowMs: number;
}

export type RotationOutcome =
  | { readonly outcome: 'rotated'; readonly user: User; readonly sessionId: string; readonly expiresAtMs: number }
  /** Used before, so somebody else has it: its session is over. `ended`: it was alive until now. */
  | { readonly outcome: 'reused'; readonly userId: string; readonly sessionId: string; readonly ended: boolean }
  /** Nobody's, or of a session that is over, or of a person who is disabled. */
  | { readonly outcome: 'refused' };

/** A live session each for so many devices; one more ends the oldest. */
const SESSIONS_MAX = 50;

/** Gives the sessions that ended to make room. */
export async function startSession(database: Database, session: NewSession): Promise<readonly string[]> {
  return database.transaction(async (transaction) => {
    const now = new Date(session.createdAtMs);
    await transaction.query(insertSession, [session.id, session.userId, now, new Date(session.expiresAtMs)]);
    await transaction.query(insertRefreshToken, [session.refreshHash, session.id, now]);
    const { rows } = await transaction.query(revokeOldestSessions, [session.userId, now, SESSIONS_MAX]);
    return rows.map(idOf);
  });
}

/** Compare and set: of many that bring the same token one is given the next, the others end the session, and with it that next one. */
export async function rotateRefreshToken(database: Database, { hash, nextHash, nowMs }: Rotation): Promise<RotationOutcome> {
  return database.transaction(async (transaction): Promise<RotationOutcome> => {
    const now = new Date(nowMs);
    const used = await transaction.query(useRefreshToken, [hash, now]);
    if (used.rows[0] === undefined) {
      const { rows } = await transaction.query(selectRefreshToken, [hash]);
      if (rows[0] === undefined) return { outcome: 'refused' };
      const [sessionId, userId] = [String(rows[0]['session_id']), String(rows[0]['user_id'])];
      const ended = await transaction.query(revokeSession, [sessionId, now, userId]);
      return { outcome: 'reused', sessionId, userId, ended: ended.rowCount === 1 };
    }
    const sessionId = String(used.rows[0]['session_id']);
    const session = (await transaction.query(lockSession, [sessionId])).rows[0];
    if (session === undefined || session['revoked'] === true) return { outcome: 'refused' };
    const expiresAtMs = (session['expires_at'] as Date).getTime();
    const user = await findUser(transaction, String(session['user_id']));
    if (expiresAtMs <= nowMs || user === undefined || user.disabled) return { outcome: 'refused' };
    await transaction.query(insertRefreshToken, [nextHash, sessionId, now]);
    return { outcome: 'rotated', user, sessionId, expiresAtMs };
  });
}

/** False: it was over already, or is not this person's. */
export async function endSession(database: Database, userId: string, sessionId: string, nowMs: number): Promise<boolean> {
  return (await database.query(revokeSession, [sessionId, new Date(nowMs), userId])).rowCount === 1;
}

/** Gives those that were alive. */
export async function endSessionsOf(database: Database, userId: string, nowMs: number): Promise<readonly string[]> {
  return (await database.query(revokeSessionsOf, [userId, new Date(nowMs)])).rows.map(idOf);
}

export async function sessionsOf(database: Database, userId: string, nowMs: number): Promise<readonly Session[]> {
  const { rows } = await database.query(selectSessionsOf, [userId, new Date(nowMs)]);
  return rows.map((row) => ({
    id: idOf(row),
    createdAtMs: (row['created_at'] as Date).getTime(),
    expiresAtMs: (row['expires_at'] as Date).getTime(),
  }));
}

function idOf(row: Row): string {
  return String(row['id']);
}
