export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { Metrics, type HistogramOptions, type InstrumentOptions } from './metrics.ts';
export { startOpsServer, type OpsServer, type OpsServerOptions, type Readiness } from './ops-server.ts';
