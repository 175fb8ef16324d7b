import type { Logger } from '@weft/telemetry';
import pg from 'pg';
import { WalFull, WalUnavailable } from './wal.ts';

/** Connections for appends, reads and trims together. Readers ask in turn and hold none while they wait. */
const connectionsMax = 8;

export interface SqlSessionOptions {
  readonly url: string;
  readonly logger: Logger;
  readonly timeoutMs: number;
}

/**
 * What an acknowledgement rests on: commit waits for fsync, whatever the database's or the role's default. `on` and `remote_apply` stay as they
 * are (with standbys they wait for those, too).
 */
const keepThePromise = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')`;

export function openPool({ url, logger, timeoutMs }: SqlSessionOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'weft-log',
    max: connectionsMax,
    connectionTimeoutMillis: timeoutMs,
    // A query over its time ends its connection (pool.query gives it back with the error): nothing is left half read.
    query_timeout: timeoutMs,
    keepAlive: true,
    onConnect: async (client) => {
      await client.query(`${keepThePromise}; SET statement_timeout = ${Math.ceil(timeoutMs)}`);
    },
  });
  // An idle connection that breaks. The next query opens another one and tells whoever asked.
  pool.on('error', (error) => logger.debug({ err: error }, 'log: an idle database connection broke'));
  return pool;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const undefinedTable = '42P01';
const diskFull = '53100';

export const isTableMissing = (error: unknown): boolean => sqlState(error) === undefinedTable;

/** A database's answer aborted the statement: nothing was taken. Any other failure may hide a commit. */
export function appendFailure(error: unknown): WalFull | WalUnavailable {
  if (sqlState(error) === diskFull) return new WalFull(`the log's disk is full: ${messageOf(error)}`, { cause: error });
  return unavailable('append', error);
}

export const unavailable = (what: string, error: unknown): WalUnavailable =>
  new WalUnavailable(`${what}: the log's database failed (${messageOf(error)})`, { cause: error });

const sqlState = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Node's AggregateError (a name with several addresses, all refused) has an empty message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
