// A process for embedded-postgres.pg.test.ts: starts Postgres in the folder given, says its pid and URL, and waits to be killed.
import { createLogger } from '@weft/telemetry';
import { startEmbeddedPostgres } from './index.ts';

const postgres = await startEmbeddedPostgres({
  folder: process.argv[2] ?? '',
  logger: createLogger({ service: 'fixture', level: 'silent' }),
});
process.stdout.write(`${JSON.stringify({ pid: postgres.pid, url: postgres.url })}\n`);
setInterval(() => undefined, 1000);
