import type { Database } from '../database.ts';
import { deleteOldAudit, deleteOldSessions, insertAudit, selectAudit } from '../queries/identity/audit.ts';

/** Who did what, when, from where. Never a secret. */
export interface AuditEntry {
  readonly atMs: number;
  /** `sign-in`, `sign-in-refused`, `role-given`, … */
  readonly event: string;
  /** The user who did it; undefined: nobody we know. */
  readonly actor?: string | undefined;
  /** Whom it was done to: a user, a session, a token. */
  readonly subject?: string | undefined;
  readonly document?: string | undefined;
  /** The client's, as far as it is known. */
  readonly address?: string | undefined;
  readonly detail?: string | undefined;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: number;
}

/** Rows deleted by one statement: it must not hold others up. */
const DELETED_AT_ONCE_MAX = 10_000;

export async function appendAudit(database: Database, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  // Postgres' text holds no NUL, and part of this may come from who tries things out.
  const text = (of: (entry: AuditEntry) => string | undefined) => entries.map((entry) => of(entry)?.replaceAll('\0', '\u{fffd}') ?? null);
  await database.query(insertAudit, [
    entries.map(({ atMs }) => new Date(atMs)),
    text(({ event }) => event),
    text(({ actor }) => actor),
    text(({ subject }) => subject),
    text(({ document }) => document),
    text(({ address }) => address),
    text(({ detail }) => detail),
  ]);
}

/** From the newest, or from the one before `beforeId`. */
export async function readAudit(
  database: Database,
  { beforeId, limit }: { readonly beforeId?: number | undefined; readonly limit: number },
): Promise<readonly StoredAuditEntry[]> {
  const { rows } = await database.query(selectAudit, [beforeId ?? null, limit]);
  const optional = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return rows.map((row) => ({
    id: Number(row['id']),
    atMs: (row['at'] as Date).getTime(),
    event: String(row['event']),
    actor: optional(row['actor']),
    subject: optional(row['subject']),
    document: optional(row['document']),
    address: optional(row['address']),
    detail: optional(row['detail']),
  }));
}

/** What is past its time: sessions with their tokens, and the log's oldest. Gives how many rows went; as many as fit one statement each. */
export async function forgetOld(
  database: Database,
  before: { readonly sessionsMs: number; readonly auditMs: number },
): Promise<{ readonly sessions: number; readonly audit: number }> {
  const sessions = await database.query(deleteOldSessions, [new Date(before.sessionsMs), DELETED_AT_ONCE_MAX]);
  const audit = await database.query(deleteOldAudit, [new Date(before.auditMs), DELETED_AT_ONCE_MAX]);
  return { sessions: sessions.rowCount ?? 0, audit: audit.rowCount ?? 0 };
}
