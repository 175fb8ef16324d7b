import type { Database, Row, Transaction } from './database.ts';
import { deleteSigningKeysBesides } from './queries/delete-signing-keys-besides.ts';
import { putSigningKey } from './queries/put-signing-key.ts';
import { selectSigningKeys } from './queries/select-signing-keys.ts';

export interface SigningKeyRow {
  readonly kid: string;
  /** The private key. */
  readonly pem: string;
  readonly signsFromMs: number;
  /** 0: no token beyond the usual lifetime. */
  readonly tokensUntilMs: number;
}

/** Any number, the same for every Weft: one changes keys at a time. */
const SIGNING_KEYS_LOCK = 7_379_382;

/** Auth's keys in Postgres, which all auth processes share (SPEC ST30). Rejects with StoreUnavailable when Postgres is away. */
export class SigningKeyTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Oldest first. */
  read(): Promise<readonly SigningKeyRow[]> {
    return selectAll(this.#database);
  }

  /** What `next` makes of the keys there are is there after, all or nothing; one process at a time. The very list it was given: nothing changes. */
  change(next: (keys: readonly SigningKeyRow[]) => Promise<readonly SigningKeyRow[]>): Promise<readonly SigningKeyRow[]> {
    return this.#database.transaction(async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [SIGNING_KEYS_LOCK]);
      const before = await selectAll(transaction);
      const after = await next(before);
      if (after !== before) await replace(transaction, after);
      return after;
    });
  }
}

async function selectAll(transaction: Transaction): Promise<SigningKeyRow[]> {
  const { rows } = await transaction.query(selectSigningKeys);
  return rows.map(keyOf);
}

async function replace(transaction: Transaction, keys: readonly SigningKeyRow[]): Promise<void> {
  await transaction.query(deleteSigningKeysBesides, [keys.map(({ kid }) => kid)]);
  for (const { kid, pem, signsFromMs, tokensUntilMs } of keys) {
    const tokensUntil = tokensUntilMs === 0 ? null : new Date(tokensUntilMs);
    await transaction.query(putSigningKey, [kid, pem, new Date(signsFromMs), tokensUntil]);
  }
}

function keyOf(row: Row): SigningKeyRow {
  return {
    kid: String(row['kid']),
    pem: String(row['pem']),
    signsFromMs: timeOf(row['signs_from']),
    tokensUntilMs: row['tokens_until'] === null ? 0 : timeOf(row['tokens_until']),
  };
}

function timeOf(value: unknown): number {
  if (!(value instanceof Date)) throw new TypeError('a time of a signing key is no timestamp');
  return value.getTime();
}
