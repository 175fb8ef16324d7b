import { NatsBus } from '@weft/bus';
import type { Environment } from '@weft/config';
import { Database, SigningKeyTable } from '@weft/store';
import { createLogger } from '@weft/telemetry';
import type { Logger } from '@weft/telemetry';

import { readKeyCommandConfig } from '../config.ts';
import type { KeySource, OpenKeysOptions } from './open-keys.ts';

/**
 * The keys for a command that runs beside the services and ends. Those hear of a change at once where NATS is named and there; they read it within 30 s anyway. Throws
 * ConfigError.
 */
export async function withCommandKeys<T>(env: Environment, work: (source: KeySource, options: OpenKeysOptions) => Promise<T>): Promise<T> {
  const { keySource, postgresUrl, natsUrl, tokenLifetimeMs } = readKeyCommandConfig(env);
  const logger = createLogger({ service: 'auth', level: 'warn' });
  const options = { logger, now: Date.now, rotationMs: undefined, tokenLifetimeMs };
  if (keySource.kind !== 'postgres' || postgresUrl === undefined) return work(keySource, options);
  const database = new Database({ url: postgresUrl, applicationName: 'weft-keys' });
  const bus = natsUrl && (await busIfThere(natsUrl, logger));
  try {
    return await work(keySource, { ...options, table: new SigningKeyTable(database), ...(bus ? { bus } : {}) });
  } finally {
    await Promise.all([database.close(), bus?.close()]);
  }
}

async function busIfThere(urls: readonly string[], logger: Logger): Promise<NatsBus | undefined> {
  try {
    return await NatsBus.connect({ url: urls.join(','), name: 'weft-keys', logger });
  } catch (err) {
    logger.warn({ err }, 'NATS is away: running processes read changed keys within 30 s');
    return undefined;
  }
}
