import { hostname } from 'node:os';
import { setting } from './setting.ts';

/** How documents are spread over the house: the same for every process, fixed at install. */
export const layoutSettings = {
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
};

/** What every process of a cluster has, besides its own work. */
export const processSettings = {
  natsUrl: setting.urls('WEFT_NATS_URL', { say: 'NATS servers.', protocols: ['nats:', 'tls:'] }),
  opsHost: setting.string('WEFT_OPS_HOST', { default: '0.0.0.0', say: 'Address of /healthz, /readyz and /metrics; never public.' }),
  opsPort: setting.port('WEFT_OPS_PORT', { default: 9100, say: 'Port of /healthz, /readyz and /metrics.' }),
  logLevel: setting.oneOf('WEFT_LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error'], { default: 'info', say: 'How much is logged.' }),
};

/** A name among its kind, for processes that others speak to. */
export const idSetting = setting.string('WEFT_ID', {
  default: hostname().replace(/[^A-Za-z0-9_-]/g, '-') || 'weft',
  say: 'Name of this process among its kind: the host or pod name.',
  pattern: /^[A-Za-z0-9_-]+$/,
  expected: 'letters, digits, _ and -',
});

/** The log in JetStream: the same for every process that uses it. */
export const jetStreamSettings = {
  natsAllowOld: setting.boolean('WEFT_NATS_ALLOW_OLD', {
    default: false,
    say: 'Accept a NATS older than 2.12, which cannot fsync each append. For tests.',
  }),
  natsSyncAlways: setting.boolean('WEFT_NATS_SYNC_ALWAYS', {
    default: false,
    say: 'You have set `jetstream { sync_interval: always }` on every NATS server: no warning at the start.',
  }),
  natsMonitoringUrl: setting.url('WEFT_NATS_MONITORING_URL', {
    optional: true,
    say: 'Where NATS can be asked whether it has (`http://nats:8222`).',
    protocols: ['http:', 'https:'],
  }),
  logReplicas: setting.integer('WEFT_LOG_REPLICAS', { default: 1, min: 1, max: 5, say: 'Copies NATS keeps of the log; 3 in production.' }),
  logBytesMax: setting.bytes('WEFT_LOG_BYTES_MAX', {
    default: 2 * 1024 ** 3,
    min: 1024 * 1024,
    say: 'Largest size of one slice of the log, reserved by NATS; beyond it edits wait.',
  }),
};

export const postgresUrlSetting = setting.url('WEFT_POSTGRES_URL', {
  say: 'The database of documents and people.',
  protocols: ['postgres:', 'postgresql:'],
});

export const originsSetting = setting.urls('WEFT_ORIGINS', {
  optional: true,
  say: 'Pages that may connect from a browser, and use its access cookie (`https://app.example.com`). Unset: any may connect, only own ones use the cookie.',
  protocols: ['http:', 'https:'],
});

/** Addresses of clients are believed only where the next hop is one of these. */
export const trustedProxiesSetting = setting.networks('WEFT_TRUSTED_PROXIES', {
  default: [],
  say: 'Addresses and networks (`10.0.0.0/8`) of proxies whose X-Forwarded-For and -Proto are believed, with commas between.',
});

export const redisUrlSetting = setting.url('WEFT_REDIS_URL', {
  optional: true,
  protocols: ['redis:', 'rediss:'],
  say: 'Redis, for limits that processes share; without it each keeps its own. WEFT_AUTH=builtin needs it.',
});
