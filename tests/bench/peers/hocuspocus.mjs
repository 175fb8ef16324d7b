import { Database } from '@hocuspocus/extension-database';
import { Redis } from '@hocuspocus/extension-redis';
import { Server } from '@hocuspocus/server';
import pg from 'pg';

/**
 * One Hocuspocus; with REDIS_URL one of several, with POSTGRES_URL it stores documents. All else is as it comes: who brings whatever token is let in, it stores 2 s
 * after the last edit and 10 s after the first at most. On SIGTERM it stores what is open, by itself.
 */
const { PORT, REDIS_URL, POSTGRES_URL } = process.env;

function redis(url) {
  const { hostname, port } = new URL(url);
  return new Redis({ host: hostname, port: Number(port) });
}

async function database(url) {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  // Two that start at once: CREATE TABLE IF NOT EXISTS alone may fail in one of them. A statement of several is one transaction.
  await pool.query('SELECT pg_advisory_xact_lock(1); CREATE TABLE IF NOT EXISTS hocuspocus (name text PRIMARY KEY, data bytea NOT NULL)');
  return new Database({
    fetch: async ({ documentName }) => {
      const { rows } = await pool.query('SELECT data FROM hocuspocus WHERE name = $1', [documentName]);
      return rows[0]?.data ?? null;
    },
    store: async ({ documentName, state }) => {
      await pool.query('INSERT INTO hocuspocus (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = EXCLUDED.data', [
        documentName,
        state,
      ]);
    },
  });
}

const server = new Server({
  port: Number(PORT),
  address: '127.0.0.1',
  quiet: true,
  extensions: [...(REDIS_URL ? [redis(REDIS_URL)] : []), ...(POSTGRES_URL ? [await database(POSTGRES_URL)] : [])],
});
await server.listen();
console.log(`hocuspocus ready on ${PORT}`);
