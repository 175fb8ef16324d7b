import { ConfigError, readConfig } from '@weft/config';
import { runService } from '@weft/lifecycle';
import { createLogger } from '@weft/telemetry';
import { WorkerProcess } from './adapters/process.ts';
import { workerProcessSettings } from './config.ts';

try {
  const config = readConfig(workerProcessSettings, process.env);
  const logger = createLogger({ service: 'sync-worker', level: config.logLevel });
  await runService(new WorkerProcess(config, logger), { logger, drainMs: config.handoverMs + 1_000 });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`sync-worker: ${error.message}\n`);
  process.exitCode = 1;
}
