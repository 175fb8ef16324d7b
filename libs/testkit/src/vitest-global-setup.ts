import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startPrivatePostgres, type PostgresServer } from './postgres.ts';

/**
 * Runs in vitest's main process: answers test files that ask for the one shared Postgres of this run, which starts with the first question.
 * Vitest calls what this gives back at the end.
 */
export default async function setup(): Promise<() => Promise<void>> {
  let postgres: Promise<PostgresServer> | undefined;
  const server = createServer((_request, response) => {
    postgres ??= startPrivatePostgres({});
    postgres.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Test processes are forked after this and inherit it.
  process.env['WEFT_TESTKIT_SHARED'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async () => {
    server.close();
    server.closeAllConnections();
    await (await postgres)?.stop();
  };
}
