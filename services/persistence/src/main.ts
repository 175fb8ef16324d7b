import { setPriority } from 'node:os';
import { ConfigError } from '@weft/config';
import { runService } from '@weft/lifecycle';
import { createLogger } from '@weft/telemetry';
import { PersistenceProcess } from './adapters/process.ts';
import { readPersistenceConfig } from './config.ts';

/** A third of what others get where there is not enough (sched(7)). */
const niceness = 5;

try {
  const config = readPersistenceConfig(process.env);
  const logger = createLogger({ service: 'persistence', level: config.logLevel });
  // Nobody waits for it as they do for gateways and workers: where they share a core it comes after them.
  setPriority(niceness);
  await runService(new PersistenceProcess(config, logger), { logger, drainMs: config.drainMs });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`persistence: ${error.message}\n`);
  process.exitCode = 1;
}
