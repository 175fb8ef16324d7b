import { startPostgres } from '@weft/testkit';
import { afterAll, beforeAll } from 'vitest';
import { Database, type DatabaseOptions } from './database.ts';
import { Store } from './postgres-store.ts';

export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  readonly store: Store;
  /** Another pool on the same database; closed at the end. */
  open(options?: Partial<DatabaseOptions>): Database;
}

/** A real Postgres for a test file; each call of what it gives is a new, migrated database. */
export function useDatabases(): () => Promise<TestDatabase> {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  const opened: Database[] = [];
  beforeAll(async () => void (postgres = await startPostgres()));
  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
    await postgres.stop();
  });
  return async () => {
    const url = await postgres.newDatabase();
    const open = (options: Partial<DatabaseOptions> = {}): Database => {
      const database = new Database({ url, applicationName: 'test', ...options });
      opened.push(database);
      return database;
    };
    const database = open();
    await database.migrate();
    return { url, database, store: new Store(database), open };
  };
}
