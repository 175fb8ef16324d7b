import { hostname } from 'node:os';
import { type Config, setting } from '@weft/config';

/** Settings of what a sync-worker does, wherever it runs. */
export const workerSettings = {
  partitions: setting.integer('WEFT_PARTITIONS', {
    default: 128,
    min: 1,
    max: 4096,
    say: 'Partitions documents are spread over; fixed at install.',
  }),
  slices: setting.integer('WEFT_LOG_SLICES', {
    default: 1,
    min: 1,
    max: 256,
    say: 'Slices of the log; fixed at install. About one an eight workers.',
  }),
  documentIdleMs: setting.durationMs('WEFT_DOCUMENT_IDLE', {
    default: 60_000,
    say: 'A document nobody has open is kept in memory for so long.',
  }),
  handoverMs: setting.durationMs('WEFT_WORKER_HANDOVER', {
    default: 10_000,
    say: 'On SIGTERM a worker goes on answering until others have taken over its documents, for so long at most.',
  }),
};

export type WorkerConfig = Config<typeof workerSettings> & { readonly id: string };

export const workerProcessSettings = {
  ...workerSettings,
  id: setting.string('WEFT_ID', {
    default: hostname().replace(/[^A-Za-z0-9_-]/g, '-') || 'worker',
    say: 'Name of this process among its kind: the host or pod name.',
    pattern: /^[A-Za-z0-9_-]+$/,
    expected: 'letters, digits, _ and -',
  }),
  natsUrl: setting.urls('WEFT_NATS_URL', { say: 'NATS servers.', protocols: ['nats:', 'tls:'] }),
  natsAllowOld: setting.boolean('WEFT_NATS_ALLOW_OLD', {
    default: false,
    say: 'Accept a NATS older than 2.12, which cannot fsync each append. For tests.',
  }),
  logReplicas: setting.integer('WEFT_LOG_REPLICAS', { default: 1, min: 1, max: 5, say: 'Copies NATS keeps of the log; 3 in production.' }),
  logBytesMax: setting.bytes('WEFT_LOG_BYTES_MAX', {
    default: 10 * 1024 ** 3,
    min: 1024 * 1024,
    say: 'Largest size of one slice of the log; beyond it edits wait.',
  }),
  postgresUrl: setting.url('WEFT_POSTGRES_URL', { say: 'The database of documents and people.', protocols: ['postgres:', 'postgresql:'] }),
  opsHost: setting.string('WEFT_OPS_HOST', { default: '0.0.0.0', say: 'Address of /healthz, /readyz and /metrics; never public.' }),
  opsPort: setting.port('WEFT_OPS_PORT', { default: 9100, say: 'Port of /healthz, /readyz and /metrics.' }),
  logLevel: setting.oneOf('WEFT_LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error'], { default: 'info', say: 'How much is logged.' }),
};
