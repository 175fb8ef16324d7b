import { homedir } from 'node:os';
import { join } from 'node:path';
import { readConfig, setting } from '@weft/config';

/** The testkit's environment: the only place of this lib that reads it. */
export const config = readConfig(
  {
    natsUrl: setting.urls('WEFT_TEST_NATS_URL', {
      optional: true,
      protocols: ['nats:', 'tls:'],
      say: 'A NATS server with JetStream for the tests to share.',
    }),
    postgresUrl: setting.url('WEFT_TEST_POSTGRES_URL', {
      optional: true,
      protocols: ['postgres:', 'postgresql:'],
      say: 'A PostgreSQL server for the tests, whose user may create databases.',
    }),
    redisUrl: setting.url('WEFT_TEST_REDIS_URL', {
      optional: true,
      protocols: ['redis:', 'rediss:'],
      say: 'A Redis server for the tests to share.',
    }),
    natsAllowOld: setting.boolean('WEFT_NATS_ALLOW_OLD', { default: false, say: 'Take a NATS server older than 2.12.' }),
    noDocker: setting.boolean('WEFT_TEST_NO_DOCKER', { default: false, say: 'Never use Docker for test servers.' }),
    dockerHost: setting.string('DOCKER_HOST', { optional: true, say: 'Where the Docker daemon answers.' }),
    cacheFolder: setting.path('WEFT_TESTKIT_CACHE', {
      default: join(homedir(), '.cache', 'weft-testkit'),
      say: 'Where built servers are kept.',
    }),
    reportFile: setting.path('WEFT_TESTKIT_REPORT', { optional: true, say: 'File that collects the servers and versions used.' }),
    sharedServers: setting.url('WEFT_TESTKIT_SHARED', { optional: true, say: 'Where this run of tests answers for its shared servers.' }),
    path: setting.string('PATH', { default: '/usr/bin:/bin', say: 'Where programs are.' }),
  },
  process.env,
);
