import { ConfigError, readConfig } from '@weft/config';
import { runService } from '@weft/lifecycle';
import { createLogger } from '@weft/telemetry';
import { GatewayProcess } from './adapters/process.ts';
import { gatewayProcessSettings } from './config.ts';

try {
  const config = readConfig(gatewayProcessSettings, process.env);
  const logger = createLogger({ service: 'gateway', level: config.logLevel });
  await runService(new GatewayProcess(config, logger), { logger, drainMs: config.drainMs + 6_000 });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`gateway: ${error.message}\n`);
  process.exitCode = 1;
}
