import { ConfigError } from '@weft/config';
import { runService } from '@weft/lifecycle';
import { createLogger } from '@weft/telemetry';
import { PersistenceProcess } from './adapters/process.ts';
import { readPersistenceConfig } from './config.ts';

try {
  const config = readPersistenceConfig(process.env);
  const logger = createLogger({ service: 'persistence', level: config.logLevel });
  await runService(new PersistenceProcess(config, logger), { logger, drainMs: config.drainMs });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`persistence: ${error.message}\n`);
  process.exitCode = 1;
}
