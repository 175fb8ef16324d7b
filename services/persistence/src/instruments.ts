import type { Metrics } from '@weft/telemetry';

type Counter = ReturnType<Metrics['counter']>;
type Gauge = ReturnType<Metrics['gauge']>;
type Histogram = ReturnType<Metrics['histogram']>;

/** What persistence tells Prometheus; all per slice but where said otherwise. */
export interface Instruments {
  readonly flushes: Counter;
  readonly flushRows: Counter;
  readonly flushBytes: Counter;
  readonly flushUpdates: Counter;
  readonly flushSeconds: Histogram;
  readonly floorPosition: Gauge;
  readonly lagRecords: Gauge;
  readonly floorAgeSeconds: Gauge;
  readonly followed: Gauge;
  readonly logAlarms: Counter;
  /** By `at`: flush or compaction. */
  readonly quarantined: Counter;
  /** By `reason`. */
  readonly droppedPieces: Counter;
  /** By `outcome`. */
  readonly compactions: Counter;
  readonly compactionSeconds: Histogram;
}

export function createInstruments(metrics: Metrics): Instruments {
  const labels = ['slice'];
  const counter = (name: string, help: string): Counter => metrics.counter(`weft_persistence_${name}`, { help, labels });
  const gauge = (name: string, help: string): Gauge => metrics.gauge(`weft_persistence_${name}`, { help, labels });
  return {
    flushes: counter('flushes_total', 'Flushes committed to Postgres.'),
    flushRows: counter('flush_rows_total', 'Rows of updates committed, about one a document and flush.'),
    flushBytes: counter('flush_bytes_total', 'Bytes of updates committed, after merging.'),
    flushUpdates: counter('flush_updates_total', 'Updates committed, before merging.'),
    flushSeconds: metrics.histogram('weft_persistence_flush_seconds', {
      help: 'From the end of a window to its commit, retries included.',
      labels,
    }),
    floorPosition: gauge('floor_position', 'Position up to which the log is in Postgres.'),
    lagRecords: gauge('lag_records', 'Records of the log that are not in Postgres yet.'),
    floorAgeSeconds: gauge('floor_age_seconds', 'Age of the oldest record read that is not in Postgres yet; 0 for none.'),
    followed: gauge('slice_followed', '1 for a slice this process writes, 0 where it does not.'),
    logAlarms: counter('log_alarms_total', 'Times the log was replaced, trimmed beyond the floor or cut at its end.'),
    quarantined: metrics.counter('weft_persistence_quarantined_total', {
      help: 'Updates put aside because they cannot be read or applied.',
      labels: ['at'],
    }),
    droppedPieces: metrics.counter('weft_persistence_dropped_pieces_total', {
      help: 'Unfinished updates in pieces that were given up.',
      labels: ['reason'],
    }),
    compactions: metrics.counter('weft_persistence_compactions_total', { help: 'Compactions by how they ended.', labels: ['outcome'] }),
    compactionSeconds: metrics.histogram('weft_persistence_compaction_seconds', {
      help: 'One compaction: load, apply, write.',
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    }),
  };
}
