import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { redact, redactError } from './redact.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/**
 * The house's logger: pino. Log facts as fields, the sentence last: `logger.warn({ document, connection, err }, 'update refused')`.
 * `logger.child({ connection })` for what lives long.
 */
export type Logger = PinoLogger;

export interface LoggerOptions {
  /** Which service speaks: `gateway`, `sync-worker`, … */
  readonly service: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Where the lines of JSON go; default standard output, written at once so that a crash loses nothing. */
  readonly stream?: DestinationStream;
}

export function createLogger({ service, level = 'info', stream }: LoggerOptions): Logger {
  const logger = pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        // Runs for the fields of each line; errors are left to the serializer below.
        log: (fields) => redactLine(fields),
      },
      serializers: { err: serializeError, error: serializeError },
    },
    stream ?? pino.destination({ dest: 1, sync: true }),
  );
  return redactBindings(logger);
}

/**
 * pino does not run `formatters.log` over a child's bindings ([TE3]), so they are redacted where the child is made.
 * Children are objects whose prototype is their parent: they inherit this method, and `this` is the one it was called on.
 */
function redactBindings(logger: Logger): Logger {
  const inherited = Object.getPrototypeOf(logger) as Logger;
  logger.child = function redactedChild(this: Logger, bindings, options) {
    return inherited.child.call(this, redactLine(bindings), options);
  } as Logger['child'];
  return logger;
}

function redactLine(fields: Record<string, unknown>): Record<string, unknown> {
  return redact(fields) as Record<string, unknown>;
}

function serializeError(value: unknown): unknown {
  return value instanceof Error ? redactError(value) : value;
}
