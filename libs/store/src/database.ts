import pg from 'pg';
import type { CopyField } from './binary.ts';
import { CopyOut } from './copy-out.ts';
import { runMigrations } from './migrate.ts';
import { StoreUnavailable } from './store.ts';
import { asStoreError, isUnavailable } from './unavailable.ts';

export interface DatabaseOptions {
  /** `postgres://…`, or `postgres://user@/database?host=/folder/of/the/socket`. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Connections at most. Default 10. */
  readonly connectionsMax?: number;
  /** Calls that may wait for a connection; more are refused with StoreUnavailable. Default 1,000. */
  readonly waitingMax?: number;
  /** How long a call waits for a connection, ms. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Longest statement, ms; the server cancels it. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** An idle connection broke: the pool replaces it, somebody may want to know. */
  readonly onConnectionLost?: (error: Error) => void;
}

/** Room for the server's own cancellation to arrive before the client gives up on the connection. */
const CLIENT_TIMEOUT_EXTRA_MS = 5_000;
const IDLE_CONNECTION_MS = 60_000;

export interface Row {
  readonly [column: string]: unknown;
}

export interface Transaction {
  query(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult<Row>>;
}

/** A bounded pool with time-outs. Rejects with StoreUnavailable when Postgres is away; other errors are bugs and pass through. */
export class Database implements Transaction {
  readonly #pool: pg.Pool;
  readonly #waitingMax: number;
  #closed: Promise<void> | undefined;

  constructor(options: DatabaseOptions) {
    const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
    this.#waitingMax = options.waitingMax ?? 1_000;
    this.#pool = new pg.Pool({
      connectionString: options.url,
      application_name: options.applicationName,
      max: options.connectionsMax ?? 10,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      statement_timeout: statementTimeoutMs,
      // A cut cable gives no error: without this a query would wait for ever.
      query_timeout: statementTimeoutMs + CLIENT_TIMEOUT_EXTRA_MS,
      idle_in_transaction_session_timeout: statementTimeoutMs,
    });
    this.#pool.on('error', (error) => options.onConnectionLost?.(error));
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResult<Row>> {
    return this.#withClient((client) => client.query<Row>(sql, [...values]));
  }

  /** READ COMMITTED. Its COMMIT returns only when it is on disk, whatever the server's default. An error rolls everything back. */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#withClient(async (client) => {
      await client.query('BEGIN; SET LOCAL synchronous_commit = on');
      try {
        const result = await work({ query: (sql, values = []) => client.query<Row>(sql, [...values]) });
        await client.query('COMMIT');
        return result;
      } catch (error) {
        // A connection that failed is thrown away, which rolls back too; asking it could take another time-out.
        if (!isUnavailable(error)) await client.query('ROLLBACK');
        throw error;
      }
    });
  }

  /** `select` as one statement, so one snapshot of the database. The fields are views: keep copies. */
  async copyOut(select: string, onRow: (fields: readonly CopyField[]) => void): Promise<void> {
    const sql = `COPY (${select}) TO STDOUT (FORMAT binary)`;
    await this.#withClient(
      (client) =>
        new Promise<void>((resolve, reject) =>
          client.query(new CopyOut(sql, onRow, (error) => (error === null ? resolve() : reject(error)))),
        ),
    );
  }

  /** Brings the schema up to this code's. Throws `SchemaTooNew` when a newer Weft left one this code would harm. */
  async migrate(): Promise<readonly string[]> {
    return this.transaction(runMigrations);
  }

  /** Why a commit could be weaker than promised; empty when it is not. */
  async weaknesses(): Promise<string[]> {
    const { rows } = await this.query(
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'`,
    );
    return rows.map((row) => `Postgres runs with ${String(row['name'])}=off: a power cut may lose what it committed`);
  }

  async close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    await this.#closed;
  }

  async #withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.#pool.waitingCount >= this.#waitingMax)
      throw new StoreUnavailable(`${this.#waitingMax} calls already wait for a connection to Postgres`);
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw asStoreError(error);
    }
    let broken: Error | undefined;
    const onError = (error: Error): void => void (broken = error);
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      const mapped = asStoreError(error);
      // After a time-out or a cut nobody knows what the connection still has to say: never use it again.
      if (mapped instanceof StoreUnavailable) broken = mapped;
      throw mapped;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}
