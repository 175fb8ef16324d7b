import { randomUUID } from 'node:crypto';
import { type Clock, every, type Service, systemClock } from '@weft/lifecycle';
import type { DocumentStore } from '@weft/store';
import type { Logger, Metrics, Readiness } from '@weft/telemetry';
import type { Wal } from '@weft/wal';
import { CompactionThread } from './adapters/compaction-thread.ts';
import type { CompactionInput, CompactionResult } from './compact-document.ts';
import { createInstruments } from './instruments.ts';
import { SliceFollower } from './slice-follower.ts';
import type { SessionLimits } from './slice-session.ts';
import type { CompactionLimits } from './tail-ledger.ts';

export interface PersistenceDeps {
  /** Opened; stays its owner's, as the store does. */
  readonly wal: Wal;
  /** Its database migrated. */
  readonly store: DocumentStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** New at each start; random unless given. */
  readonly incarnation?: string;
  /** In a thread unless given. */
  readonly compact?: (input: CompactionInput) => Promise<CompactionResult>;
}

export interface PersistenceConfig {
  readonly slices: number;
  /** Names this process in leases; made unique for each start. */
  readonly id: string;
  readonly session: SessionLimits;
  readonly compaction: CompactionLimits & { readonly checkMs: number; readonly timeoutMs: number; readonly heapBytes: number };
}

export interface PersistenceService extends Service {
  readiness(): Readiness;
}

const PROBE_EVERY_MS = 2_000;

/** The only writer of document state: log -> Postgres, for every slice whose lease it gets. */
export function createPersistence(deps: PersistenceDeps, config: PersistenceConfig): PersistenceService {
  return new Persistence(deps, config);
}

class Persistence implements PersistenceService {
  readonly #deps: PersistenceDeps;
  readonly #clock: Clock;
  readonly #thread: CompactionThread;
  readonly #followers: readonly SliceFollower[];
  readonly #stopping = new AbortController();
  /** Resolves when every slice is let go. */
  #followed: Promise<unknown> = Promise.resolve();
  #probing: Promise<void> = Promise.resolve();
  #unreachable: readonly string[] = ['Postgres and the log were not asked yet'];

  constructor(deps: PersistenceDeps, config: PersistenceConfig) {
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
    this.#thread = new CompactionThread(config.compaction);
    const shared = {
      holder: `${config.id}/${deps.incarnation ?? randomUUID()}`,
      wal: deps.wal,
      store: deps.store,
      instruments: createInstruments(deps.metrics),
      limits: config.session,
      compaction: config.compaction,
      compact: deps.compact ?? ((input: CompactionInput) => this.#thread.compact(input)),
      clock: this.#clock,
      signal: this.#stopping.signal,
    };
    this.#followers = Array.from(
      { length: config.slices },
      (_, slice) => new SliceFollower({ ...shared, slice, logger: deps.logger.child({ slice }) }),
    );
  }

  async run(): Promise<void> {
    this.#followed = Promise.all(this.#followers.map((follower) => follower.run()));
    this.#probing = every(PROBE_EVERY_MS, () => this.#probe(), this.#stopping.signal, this.#clock);
    await this.#probe();
  }

  async drain(): Promise<void> {
    for (const follower of this.#followers) follower.finish();
    await this.#followed;
  }

  async stop(): Promise<void> {
    for (const follower of this.#followers) follower.finish();
    this.#stopping.abort(new Error('the service stops'));
    await this.#thread.close();
    await Promise.all([this.#followed, this.#probing]);
  }

  readiness(): Readiness {
    const reasons = [...this.#unreachable, ...this.#followers.flatMap(({ state }, slice) => reasonAgainst(state, slice))];
    return { ok: reasons.length === 0, reasons };
  }

  async #probe(): Promise<void> {
    const { store, wal } = this.#deps;
    const asked = await Promise.allSettled([store.floor(0), wal.state(0)]);
    this.#unreachable = asked.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
  }
}

function reasonAgainst(state: SliceFollower['state'], slice: number): readonly string[] {
  switch (state.kind) {
    case 'following':
    case 'standing-by':
      return [];
    case 'starting':
    case 'ended':
      return [`slice ${slice}: ${state.kind}`];
    case 'failing':
      return [`slice ${slice}: ${state.reason}`];
    default:
      return state satisfies never;
  }
}
