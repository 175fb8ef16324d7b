import type { Goal, Row } from './row.ts';

const lower = (what: string, figure: string, unit: string, bar: number, goal: number, over?: string): Goal => ({
  what,
  figure,
  unit,
  bar,
  goal,
  better: 'lower',
  ...(over === undefined ? {} : { over }),
});
const higher = (what: string, figure: string, unit: string, bar: number, goal: number, over?: string): Goal => ({
  ...lower(what, figure, unit, bar, goal, over),
  better: 'higher',
});
/** As targets.md had them, 2026-11-20. */
const yPerUpdate = { candidate: 'y-websocket', figure: 'server_cpu_us_per_update', was: 68 } as const;
const yPerConnect = { candidate: 'y-websocket', figure: 'server_cpu_us_per_connect', was: 210 } as const;
const rawPerDelivery = { candidate: 'raw', figure: 'server_cpu_us_per_delivery', was: 5.5 } as const;
const scaled = (goal: Goal, scale: NonNullable<Goal['scale']>): Goal => ({ ...goal, scale });
const allDelivered = lower('not delivered', 'not_delivered', '', 0, 0);

/** The rows of ../shared/design/targets.md. */
export const rows: readonly Row[] = [
  {
    name: 'ceiling',
    warm: false,
    scenario: 'ceiling',
    candidates: ['weft', 'y-websocket', 'raw', 'hocuspocus', 'hocuspocus-x2'],
    goals: [
      higher('typing, highest rate', 'ceiling_updates_per_second', '/s', 16_000, 25_000),
      higher('typing, highest rate, as a multiple of y-websocket', 'ceiling_updates_per_second', 'x', 0.9, 1.4, 'y-websocket'),
      allDelivered,
    ],
  },
  {
    name: 'typing-1500',
    scenario: 'typing',
    sitting: 'steady',
    set: { rate: 1500 },
    candidates: ['weft', 'y-websocket', 'raw', 'hocuspocus', 'hocuspocus-x2'],
    goals: [
      scaled(lower('typing at 1,500/s: CPU an update', 'server_cpu_us_per_update', 'us', 120, 68), yPerUpdate),
      scaled(lower('gateway to gateway there, p50', 'delivery_across.p50', 'ms', 3, 1.5), yPerUpdate),
      scaled(lower('gateway to gateway there, p99', 'delivery_across.p99', 'ms', 15, 6), yPerUpdate),
      lower('Postgres rows a typist-second', 'postgres_rows_per_typist_second', '', 1.5, 1),
      lower('Postgres bytes a byte typed (edits of 9 characters)', 'postgres_bytes_per_byte_typed', '', 12, 6),
      scaled(lower('same gateway there, p50', 'delivery_same.p50', 'ms', 0.3, 0.072), yPerUpdate),
      scaled(lower('same gateway there, p99', 'delivery_same.p99', 'ms', 3, 0.2), yPerUpdate),
      allDelivered,
    ],
  },
  {
    name: 'half-ceiling',
    warm: false,
    scenario: 'typing',
    sitting: 'steady',
    set: { rate: 4000 },
    ofCeiling: 0.5,
    candidates: ['weft', 'y-websocket', 'raw'],
    goals: [
      scaled(lower('durable ack at half the ceiling, p50', 'ack.p50', 'ms', 4, 2), yPerUpdate),
      scaled(lower('durable ack at half the ceiling, p99', 'ack.p99', 'ms', 30, 10), yPerUpdate),
      allDelivered,
    ],
  },
  {
    name: 'rest',
    warm: false,
    scenario: 'rest',
    sitting: 'steady',
    set: { rate: 5, seconds: 20 },
    candidates: ['weft', 'y-websocket', 'raw', 'hocuspocus', 'hocuspocus-x2'],
    goals: [allDelivered],
  },
  {
    name: 'readers-1000',
    scenario: 'room',
    sitting: 'room',
    set: { readers: 1000, rate: 50 },
    candidates: ['weft', 'raw', 'y-websocket', 'hocuspocus'],
    goals: [
      lower('1,000 readers at 50/s: CPU a delivery, as a multiple of raw uWS', 'server_cpu_us_per_delivery', 'x', 1.3, 1.1, 'raw'),
      allDelivered,
    ],
  },
  {
    name: 'readers-1500',
    warm: false,
    scenario: 'room',
    sitting: 'room',
    set: { readers: 1500, rate: 50 },
    candidates: ['weft', 'raw', 'y-websocket', 'hocuspocus'],
    goals: [scaled(lower('1,500 readers on 2 gateways, p99', 'delivery.p99', 'ms', 30, 15), rawPerDelivery), allDelivered],
  },
  {
    name: 'flat-out',
    scenario: 'flat-out',
    candidates: ['weft', 'y-websocket', 'hocuspocus'],
    goals: [
      higher('200 readers, 5 writers flat out', 'edits_per_second_to_everybody', '/s', 11_000, 40_000),
      lower('lost connections', 'lost_connections', '', 0, 0),
      allDelivered,
    ],
  },
  {
    name: 'overload',
    scenario: 'overload',
    set: { rate: 8000, peak: 40_000 },
    candidates: ['weft', 'hocuspocus'],
    goals: [
      lower('a 2x overload for 10 s: normal after', 'seconds_until_normal', 's', 10, 2),
      lower('lost connections', 'lost_connections', '', 0, 0),
      allDelivered,
    ],
  },
  {
    name: 'presence-500',
    scenario: 'presence',
    sitting: 'presence',
    candidates: ['weft', 'y-websocket', 'hocuspocus'],
    goals: [
      lower('500 presences at 1 Hz: share of a core', 'server_cpu_share', 'cores', 0.3, 0.1),
      lower('500 presences: longest p99 of a loop’s delay', 'loop_p99_ms', 'ms', 20, 10),
      allDelivered,
    ],
  },
  {
    name: 'presence-joins',
    warm: false,
    scenario: 'presence-joins',
    sitting: 'presence',
    candidates: ['weft', 'y-websocket', 'hocuspocus'],
    goals: [
      scaled(lower('300 with presence join', 'seconds_until_all_seen', 's', 0.25, 0.1), {
        candidate: 'y-websocket',
        figure: 'seconds_until_all_seen',
        was: 0.63,
      }),
      allDelivered,
    ],
  },
  {
    name: 'joins-1000',
    scenario: 'joins',
    sitting: 'joins',
    candidates: ['weft', 'y-websocket', 'hocuspocus', 'raw'],
    goals: [
      scaled(lower('1,000 joins of one document: all synced', 'seconds_until_all_synced', 's', 0.3, 0.18), {
        candidate: 'y-websocket',
        figure: 'seconds_until_all_synced',
        was: 0.32,
      }),
      scaled(lower('1,000 joins: CPU a connect, auth included', 'server_cpu_us_per_connect', 'us', 250, 120), yPerConnect),
    ],
  },
  {
    name: 'joins-1000-in-100',
    warm: false,
    scenario: 'joins',
    sitting: 'joins',
    set: { documents: 100 },
    candidates: ['weft', 'y-websocket', 'hocuspocus', 'raw'],
    goals: [
      scaled(lower('1,000 joins of 100 documents: CPU a connect', 'server_cpu_us_per_connect', 'us', 250, 120), {
        ...yPerConnect,
        was: 180,
      }),
    ],
  },
  {
    name: 'join-10mb',
    scenario: 'joins',
    set: { clients: 1, bytes: 10_000_000, rounds: 7, rest: 15 },
    candidates: ['weft', 'y-websocket', 'hocuspocus'],
    goals: [
      scaled(lower('join of a 10 MB document somebody has open: CPU', 'server_cpu_us_per_connect', 'us', 60_000, 20_000), {
        ...yPerConnect,
        was: 272_000,
      }),
    ],
  },
  {
    name: 'cold-10mb',
    scenario: 'joins',
    set: { clients: 1, rounds: 1, seeded: 0 },
    coldBytes: 10_000_000,
    candidates: ['weft', 'hocuspocus-x2'],
    goals: [lower('cold load of a 10 MB document to first sync', 'seconds_until_all_synced', 's', 0.4, 0.15)],
  },
  {
    name: 'joins-150-of-20mb',
    scenario: 'joins',
    set: { clients: 150, bytes: 20_000_000, rounds: 1, rest: 30 },
    candidates: ['weft', 'hocuspocus'],
    goals: [
      lower('150 joins of a 20 MB document, p99', 'joined.p99', 'ms', 6000, 3000),
      lower('150 joins of a 20 MB document: extra memory, in documents', 'peak_memory_growth_documents', 'x', 3, 1.5),
    ],
  },
  {
    name: 'pastes',
    scenario: 'pastes',
    candidates: ['weft', 'hocuspocus'],
    goals: [lower('bystander while 50 paste 400 kB, p99', 'bystander.p99', 'ms', 150, 60), allDelivered],
  },
  {
    name: 'idle',
    warm: false,
    scenario: 'idle',
    candidates: ['weft', 'y-websocket', 'hocuspocus', 'raw'],
    goals: [lower('idle connection, gateways', 'rss_bytes_per_connection_gateway', 'B', 5120, 3072)],
  },
  {
    name: 'loaded',
    warm: false,
    scenario: 'loaded',
    candidates: ['weft', 'y-websocket', 'hocuspocus'],
    goals: [lower('loaded document, workers: memory a byte of it', 'rss_per_document_byte_sync-worker', 'x', 2, 1.2)],
  },
  {
    name: 'safety',
    scenario: 'typing',
    set: { rate: 5000 },
    candidates: ['weft', 'weft-database', 'weft-no-log', 'weft-3-replicas'],
    goals: [allDelivered],
  },
];
