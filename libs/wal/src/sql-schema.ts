import type pg from 'pg';

const versionMin = 150_000;

/** The lock under which tables are made: two processes that start at once must not both try ("WEFT" in ASCII, and 1). */
const lockKey = '1464157780, 1';

const tables = `
  CREATE TABLE IF NOT EXISTS weft_log_slices (
    slice int PRIMARY KEY,
    identity uuid NOT NULL DEFAULT gen_random_uuid(),
    first bigint NOT NULL DEFAULT 1,
    last bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
  CREATE TABLE IF NOT EXISTS weft_log (
    slice int NOT NULL,
    position bigint NOT NULL,
    at timestamptz NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (slice, position)
  ) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.1);
  ALTER TABLE weft_log ALTER COLUMN record SET STORAGE EXTERNAL;
  COMMENT ON TABLE weft_log IS 'Weft: the log. Records not yet trimmed, by slice and position.';
  COMMENT ON TABLE weft_log_slices IS 'Weft: one row a slice. Appends of a slice queue for its row, so that commit order is position order.';`;

/** Gives the number of the server's version if it is too old. */
export async function tooOldVersion(pool: pg.Pool): Promise<string | undefined> {
  const { rows } = await pool.query<{ version: string; number: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number`,
  );
  return Number(rows[0]!.number) < versionMin ? rows[0]!.version : undefined;
}

/** Makes the tables if they are not there. Looks first: ALTER and COMMENT lock the table, and a running log must not wait for a start. */
export async function makeTables(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ there: boolean }>(
    `SELECT to_regclass('weft_log') IS NOT NULL AND to_regclass('weft_log_slices') IS NOT NULL AS there`,
  );
  // Several statements in one query are one transaction.
  if (!rows[0]!.there) await pool.query(`SELECT pg_advisory_xact_lock(${lockKey}); ${tables}`);
}

/** Makes missing slices, each with a new identity. Gives those it made. Left-over records of a slice whose row was lost are another log's: they go. */
export async function makeSlices(pool: pg.Pool, slices: readonly number[]): Promise<number[]> {
  const { rows } = await pool.query<{ slice: number }>(
    `WITH made AS (INSERT INTO weft_log_slices (slice) SELECT unnest($1::int[]) ON CONFLICT DO NOTHING RETURNING slice),
          swept AS (DELETE FROM weft_log WHERE slice IN (SELECT slice FROM made))
     SELECT slice FROM made`,
    [slices],
  );
  return rows.map(({ slice }) => slice);
}

/** Gives a log that went backwards another identity, keeping what it holds. Nothing, if somebody else was faster. */
export async function renewSlice(pool: pg.Pool, slice: number, identity: string): Promise<void> {
  await pool.query('UPDATE weft_log_slices SET identity = gen_random_uuid() WHERE slice = $1 AND identity::text = $2', [slice, identity]);
}
