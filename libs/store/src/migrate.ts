import type { Transaction } from './database.ts';
import { migrations, type Migration } from './migrations/index.ts';

/** Any number, the same for every Weft: one migrates at a time. */
const MIGRATION_LOCK = 7_379_381;

export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew';
}

/**
 * All missing migrations in one transaction under an advisory lock: several services may start at once, and a failed one leaves nothing behind.
 * Gives the names of those it ran.
 */
export async function runMigrations(transaction: Transaction, known: readonly Migration[] = migrations): Promise<readonly string[]> {
  await transaction.query('SET LOCAL statement_timeout = 0');
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  const applied = await appliedMigrations(transaction);
  refuseNewer(applied, known);
  const missing = known.filter(({ number }) => !applied.some((one) => one.number === number));
  for (const migration of missing) {
    await transaction.query(migration.sql);
    await transaction.query('INSERT INTO weft.migrations (number, name, breaking) VALUES ($1, $2, $3)', [
      migration.number,
      migration.name,
      migration.breaking,
    ]);
  }
  return missing.map(({ name }) => name);
}

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly breaking: boolean;
}

async function appliedMigrations(transaction: Transaction): Promise<readonly Applied[]> {
  const { rows: found } = await transaction.query(`SELECT to_regclass('weft.migrations') IS NOT NULL AS there`);
  if (found[0]?.['there'] !== true) {
    await transaction.query('CREATE SCHEMA IF NOT EXISTS weft');
    await transaction.query(
      `CREATE TABLE weft.migrations (
         number integer PRIMARY KEY, name text NOT NULL, breaking boolean NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
       )`,
    );
    return [];
  }
  const { rows } = await transaction.query('SELECT number, name, breaking FROM weft.migrations ORDER BY number');
  return rows.map((row) => ({ number: Number(row['number']), name: String(row['name']), breaking: row['breaking'] === true }));
}

/** A newer schema that only adds is harmless, as in the middle of a rolling upgrade. A breaking one is not. */
function refuseNewer(applied: readonly Applied[], known: readonly Migration[]): void {
  const newest = known.at(-1)?.number ?? 0;
  const breaking = applied.find(({ number, breaking: breaks }) => breaks && number > newest);
  if (breaking === undefined) return;
  throw new SchemaTooNew(
    `The database was changed by a newer Weft (migration ${breaking.number}, ${breaking.name}) in a way this one (up to ${newest}) does not understand: start that newer version, or restore a backup from before it.`,
  );
}
