import { ConfigError } from '@weft/config';
import { runService } from '@weft/lifecycle';
import { Metrics, createLogger } from '@weft/telemetry';

import { AuthProcess } from './auth-process.ts';
import { readAuthConfig } from './config.ts';
import type { AuthProcessConfig } from './config.ts';

const DRAIN_MS = 10_000;

function configOrExit(): AuthProcessConfig {
  try {
    return readAuthConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const config = configOrExit();
const logger = createLogger({ service: 'auth', level: config.logLevel });
const metrics = new Metrics({ defaultMetrics: true });
await runService(new AuthProcess(config, logger, metrics), { logger, drainMs: DRAIN_MS });
