import { newSocketFolder, startEmbeddedPostgres } from '@weft/embedded-postgres';
import type { EmbeddedPostgres } from '@weft/embedded-postgres';
import { retry } from '@weft/lifecycle';
import type { Logger } from '@weft/telemetry';
import { rm } from 'node:fs/promises';

export interface KeptPostgres {
  /** Stays the same over restarts of Postgres. */
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

export interface KeptPostgresOptions {
  /** `postgresql.conf` settings, over the library's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** That Postgres ended, and came back. */
  readonly logger: Logger;
  /** What Postgres itself says. */
  readonly postgresLogger: Logger;
}

const RESTART = { baseMs: 200, maxMs: 5000 };

/**
 * Postgres as a child, started again whenever it ends unasked (the system was out of memory, somebody killed it). The house bears that as it
 * bears any Postgres that is away: acknowledgements wait. Rejects with what `startEmbeddedPostgres` rejects with at the first start.
 */
export async function keepPostgres(folder: string, { logger, postgresLogger, settings = {} }: KeptPostgresOptions): Promise<KeptPostgres> {
  const socketFolder = newSocketFolder();
  const stopping = new AbortController();
  const start = () => startEmbeddedPostgres({ folder, logger: postgresLogger, socketFolder, settings });
  let running: EmbeddedPostgres;
  try {
    running = await start();
  } catch (error) {
    await rm(socketFolder, { recursive: true, force: true });
    throw error;
  }
  const { url, version } = running;
  const kept = keep();

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      const how = await running.ended;
      if (stopping.signal.aborted) return;
      logger.error({ how }, 'Postgres ended by itself and is started again; edits wait for it');
      running = await retry(start, { signal: stopping.signal, logger, what: 'start Postgres again', ...RESTART });
      logger.info('Postgres is back');
    }
  }

  return {
    url,
    version,
    async stop() {
      stopping.abort(new Error('Postgres is stopped'));
      await running.stop();
      await kept.catch((error: unknown) => logger.debug({ err: error }, 'Postgres was stopped while it was being started'));
      await rm(socketFolder, { recursive: true, force: true });
    },
  };
}
