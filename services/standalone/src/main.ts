import { ConfigError } from '@weft/config';
import { runService } from '@weft/lifecycle';
import { createLogger } from '@weft/telemetry';

import { readStandaloneConfig } from './config.ts';
import type { StandaloneConfig } from './config.ts';
import { prettyLine } from './pretty-lines.ts';
import { Standalone } from './standalone.ts';

const DRAIN_MS = 15_000;
/** For people. Postgres warns of each connection it ends when it stops; what keeps it from starting is in the error itself. */
const PRETTY_LEVELS: Readonly<Record<string, 'info' | 'error'>> = { standalone: 'info', postgres: 'error' };

function configOrExit(): StandaloneConfig {
  try {
    return readStandaloneConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const config = configOrExit();
const pretty = config.log === 'pretty';
const color = process.stdout.isTTY === true;
const terminal = { write: (line: string) => void process.stdout.write(prettyLine(line, { color })) };

const loggerOf = (part: string) => {
  const level = config.logLevel ?? (pretty ? (PRETTY_LEVELS[part] ?? 'warn') : 'info');
  return createLogger({ service: part, level, ...(pretty ? { stream: terminal } : {}) });
};

const logger = loggerOf('standalone');
const standalone = new Standalone(config, { loggerOf });
let ready = false;
const announced = {
  run: async () => {
    await standalone.run();
    ready = standalone.port !== 0;
    if (!ready) return;
    const url = `http://${config.host === '127.0.0.1' ? 'localhost' : config.host}:${standalone.port}`;
    if (pretty) process.stdout.write(`\nWeft is ready: ${url}\n`);
    else logger.info({ url }, 'Weft is ready');
  },
  drain: () => standalone.drain(),
  stop: async () => {
    await standalone.stop();
    if (ready) logger.info('stopped');
  },
};

// start.mjs holds the other end: when it is killed, nobody would pass signals on, and the port and the folder would stay taken.
process.on('disconnect', () => {
  logger.fatal('the process that started this one is gone');
  process.exit(1);
});
await runService(announced, { logger, drainMs: DRAIN_MS });
