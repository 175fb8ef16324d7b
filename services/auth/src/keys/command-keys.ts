import type { Environment } from '@weft/config';
import { Database, SigningKeyTable } from '@weft/store';
import { createLogger } from '@weft/telemetry';

import { readKeyCommandConfig } from '../config.ts';
import type { KeySource, OpenKeysOptions } from './open-keys.ts';

/** The keys for a command that runs beside the services and ends; what it changes they read within 30 s. Throws ConfigError. */
export async function withCommandKeys<T>(env: Environment, work: (source: KeySource, options: OpenKeysOptions) => Promise<T>): Promise<T> {
  const { keySource, postgresUrl, tokenLifetimeMs } = readKeyCommandConfig(env);
  const logger = createLogger({ service: 'auth', level: 'warn' });
  const options = { logger, now: Date.now, rotationMs: undefined, tokenLifetimeMs };
  if (keySource.kind !== 'postgres' || postgresUrl === undefined) return work(keySource, options);
  const database = new Database({ url: postgresUrl, applicationName: 'weft-keys' });
  try {
    return await work(keySource, { ...options, table: new SigningKeyTable(database) });
  } finally {
    await database.close();
  }
}
