import {
  type Config,
  type Environment,
  idSetting,
  jetStreamSettings,
  layoutSettings,
  postgresUrlSetting,
  processSettings,
  readConfig,
  setting,
} from '@weft/config';
import type { PersistenceConfig } from './service.ts';

const MIB = 1 << 20;

/** Settings of what persistence does, wherever it runs. */
export const persistenceSettings = {
  slices: layoutSettings.slices,
  flushMs: setting.durationMs('WEFT_FLUSH_MS', {
    default: 1_000,
    min: 10,
    max: 60_000,
    say: 'How long updates of a document are combined into one row.',
  }),
  flushBytes: setting.bytes('WEFT_FLUSH_BYTES', {
    default: 8 * MIB,
    min: 64 << 10,
    max: 256 * MIB,
    say: 'Updates held for one flush; more are not read before it is written.',
  }),
  keepMs: setting.durationMs('WEFT_LOG_KEEP_MS', {
    default: 60_000,
    say: 'How long records stay in the log although they are in Postgres.',
  }),
  leaseMs: setting.durationMs('WEFT_LEASE_MS', {
    default: 5_000,
    min: 300,
    max: 300_000,
    say: 'After this silence another persistence takes a slice over.',
  }),
  tailBytes: setting.bytes('WEFT_COMPACT_TAIL_BYTES', {
    default: 64 << 10,
    say: 'A tail of more bytes, and of more than a quarter of its snapshot, is compacted.',
  }),
  tailRows: setting.integer('WEFT_COMPACT_TAIL_ROWS', { default: 200, min: 1, say: 'A tail of more rows is compacted.' }),
  oldMs: setting.durationMs('WEFT_COMPACT_OLD_MS', {
    default: 300_000,
    say: 'A tail this old is compacted if it has more than WEFT_COMPACT_OLD_ROWS rows.',
  }),
  oldRows: setting.integer('WEFT_COMPACT_OLD_ROWS', { default: 20, min: 1, say: 'Rows over which an old tail is compacted.' }),
  checkMs: setting.durationMs('WEFT_COMPACT_CHECK_MS', { default: 2_000, min: 10, say: 'How often tails to compact are looked for.' }),
  timeoutMs: setting.durationMs('WEFT_COMPACT_TIMEOUT_MS', { default: 300_000, min: 1_000, say: 'Longest compaction of one document.' }),
  heapBytes: setting.bytes('WEFT_COMPACT_HEAP_BYTES', {
    default: 4_096 * MIB,
    min: 64 * MIB,
    say: 'JavaScript heap of the compaction thread; a document that needs more is served uncompacted.',
  }),
};

/** Everything the persistence process reads. */
export const persistenceProcessSettings = {
  ...persistenceSettings,
  ...processSettings,
  ...jetStreamSettings,
  id: idSetting,
  postgresUrl: postgresUrlSetting,
  connectionsMax: setting.integer('WEFT_POSTGRES_CONNECTIONS', { default: 10, min: 2, max: 200, say: 'Connections to Postgres at most.' }),
  drainMs: setting.durationMs('WEFT_DRAIN', { default: 10_000, say: 'On SIGTERM the last flush may take so long.' }),
};

export type PersistenceSettings = Config<typeof persistenceSettings>;

/** Throws ConfigError. */
export function readPersistenceConfig(env: Environment): Config<typeof persistenceProcessSettings> {
  return readConfig(persistenceProcessSettings, env);
}

export function workOf(id: string, settings: PersistenceSettings): PersistenceConfig {
  const { slices, flushMs, flushBytes, keepMs, leaseMs, tailBytes, tailRows, oldMs, oldRows, checkMs, timeoutMs, heapBytes } = settings;
  return {
    slices,
    id,
    session: { flushMs, flushBytes, keepMs, leaseMs },
    compaction: { tailBytes, tailRows, oldMs, oldRows, checkMs, timeoutMs, heapBytes },
  };
}
