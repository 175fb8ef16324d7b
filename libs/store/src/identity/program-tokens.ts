import type { Database, Row } from '../database.ts';
import {
  insertProgramToken,
  revokeProgramToken,
  selectProgramTokenByHash,
  selectProgramTokensOf,
} from '../queries/identity/program-tokens.ts';

/** Pattern -> role; whose names the store does not judge. */
export type DocumentPatterns = Readonly<Record<string, string>>;

/** A personal one acts for its person, narrowed by `documents` if there are any; a service one has exactly the rights of `documents`. */
export interface ProgramToken {
  readonly id: string;
  readonly kind: 'personal' | 'service';
  readonly label: string;
  readonly documents: DocumentPatterns | undefined;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
}

export interface NewProgramToken extends ProgramToken {
  readonly userId: string;
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
}

/** Who bears a token that is good now. */
export interface TokenBearer extends Omit<ProgramToken, 'createdAtMs'> {
  readonly userId: string;
  /** Of whom it is, or who made it. */
  readonly disabled: boolean;
}

const TOKENS_MAX = 100;

/** False: the person has as many as may be. */
export async function addProgramToken(database: Database, token: NewProgramToken): Promise<boolean> {
  const { rowCount } = await database.query(insertProgramToken, [
    token.id,
    token.kind,
    token.userId,
    token.hash,
    token.label,
    token.documents === undefined ? null : JSON.stringify(token.documents),
    new Date(token.createdAtMs),
    token.expiresAtMs === undefined ? null : new Date(token.expiresAtMs),
    TOKENS_MAX,
  ]);
  return rowCount === 1;
}

export async function programTokensOf(database: Database, userId: string): Promise<readonly ProgramToken[]> {
  const { rows } = await database.query(selectProgramTokensOf, [userId]);
  return rows.map((row) => ({ ...tokenOf(row), createdAtMs: (row['created_at'] as Date).getTime() }));
}

/** What it was; undefined: it is not this person's, or over already. */
export async function endProgramToken(
  database: Database,
  userId: string,
  id: string,
  nowMs: number,
): Promise<ProgramToken['kind'] | undefined> {
  const { rows } = await database.query(revokeProgramToken, [id, userId, new Date(nowMs)]);
  return rows[0]?.['kind'] as ProgramToken['kind'] | undefined;
}

export async function bearerOf(database: Database, hash: Uint8Array, nowMs: number): Promise<TokenBearer | undefined> {
  const { rows } = await database.query(selectProgramTokenByHash, [hash, new Date(nowMs)]);
  const row = rows[0];
  return row && { ...tokenOf(row), userId: String(row['user_id']), disabled: row['disabled'] === true };
}

function tokenOf(row: Row): Omit<ProgramToken, 'createdAtMs'> {
  return {
    id: String(row['id']),
    kind: row['kind'] as ProgramToken['kind'],
    label: String(row['label']),
    documents: (row['documents'] as DocumentPatterns | null) ?? undefined,
    expiresAtMs: (row['expires_at'] as Date | null)?.getTime(),
  };
}
