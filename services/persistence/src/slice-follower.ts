import { sleep } from '@weft/lifecycle';
import { type StoredFloor, StoreUnavailable } from '@weft/store';
import { WalUnavailable } from '@weft/wal';
import { agreeOnFloor } from './agree-on-floor.ts';
import { Compactor, type CompactorDeps } from './compactor.ts';
import { type SessionDeps, SliceSession } from './slice-session.ts';

/**
 * standing by: another persistence has the lease. following: we write this slice. failing: what stands in the way, tried again with backoff.
 */
export type FollowerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'standing-by' }
  | { readonly kind: 'following' }
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'ended' };

export type FollowerDeps = Omit<SessionDeps, 'ledger'> & Omit<CompactorDeps, 'ledger' | 'signal'>;

const FAILURE_BASE_MS = 250;
const FAILURE_MAX_MS = 10_000;

/** One slice's life: lease -> floor agreed with the log -> session -> again. Only an asked end ends it. */
export class SliceFollower {
  readonly #deps: FollowerDeps;
  readonly #ending = new AbortController();
  #state: FollowerState = { kind: 'starting' };
  #session: SliceSession | undefined;
  #failures = 0;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  get state(): FollowerState {
    return this.#state;
  }

  /** Takes nothing new; `run` resolves after the last flush, with the lease given back. */
  finish(): void {
    this.#ending.abort();
    this.#session?.finish('asked-to-end');
  }

  async run(): Promise<void> {
    while (!this.#isEnding) {
      try {
        await this.#once();
      } catch (error) {
        await this.#onFailure(error);
      }
    }
    await this.#release();
    this.#enter({ kind: 'ended' });
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted || this.#deps.signal.aborted;
  }

  async #once(): Promise<void> {
    const { slice, holder, store, limits, logger } = this.#deps;
    if (!(await store.takeLease(slice, { holder, leaseMs: limits.leaseMs }))) {
      this.#enter({ kind: 'standing-by' });
      await this.#pause(limits.leaseMs / 3);
      return;
    }
    const floor = await this.#agree();
    if (floor === undefined || this.#isEnding) return;
    this.#enter({ kind: 'following' });
    this.#failures = 0;
    logger.info({ floor }, 'following the slice');
    await this.#follow(floor);
  }

  async #follow(floor: StoredFloor): Promise<void> {
    const compactor = new Compactor(this.#deps);
    const session = new SliceSession(floor, { ...this.#deps, ledger: compactor.ledger });
    this.#session = session;
    // `finish` may have come before there was a session to hear it.
    if (this.#isEnding) session.finish('asked-to-end');
    // Not waited for: a compaction under way may take minutes, and replaces nothing once somebody else's was faster.
    void compactor.run();
    try {
      const end = await session.run();
      this.#deps.logger.info({ end }, 'no longer following the slice');
    } finally {
      this.#session = undefined;
      compactor.stop();
    }
  }

  /** undefined: somebody else changed the floor meanwhile, look again. */
  async #agree(): Promise<StoredFloor | undefined> {
    const { slice, store, wal, logger, instruments } = this.#deps;
    const stored = await store.floor(slice);
    const agreement = agreeOnFloor(stored, await wal.state(slice));
    if (agreement.kind === 'go-on') return agreement.floor;
    const { floor, alarm } = agreement;
    if (!(await store.adoptFloor(slice, { expected: stored, floor }))) return undefined;
    if (alarm !== undefined) {
      instruments.logAlarms.inc({ slice: String(slice) });
      logger.error({ stored, floor }, `ALARM: ${alarm}`);
    }
    return floor;
  }

  async #onFailure(err: unknown): Promise<void> {
    if (this.#isEnding) return;
    this.#failures += 1;
    const expected = err instanceof StoreUnavailable || err instanceof WalUnavailable;
    this.#enter({ kind: 'failing', reason: err instanceof Error ? err.message : String(err) });
    this.#deps.logger[expected ? 'warn' : 'error']({ err, failures: this.#failures }, 'the slice cannot be followed now; trying again');
    await this.#pause(Math.min(FAILURE_MAX_MS, FAILURE_BASE_MS * 2 ** Math.min(this.#failures, 10)));
  }

  async #pause(ms: number): Promise<void> {
    const either = AbortSignal.any([this.#ending.signal, this.#deps.signal]);
    try {
      await sleep(ms, either, this.#deps.clock);
    } catch (error) {
      if (!either.aborted) throw error;
    }
  }

  async #release(): Promise<void> {
    try {
      await this.#deps.store.releaseLease(this.#deps.slice, this.#deps.holder);
    } catch (err) {
      // It expires by itself.
      this.#deps.logger.warn({ err }, 'the lease could not be given back');
    }
  }

  #enter(state: FollowerState): void {
    this.#state = state;
    this.#deps.instruments.followed.set({ slice: String(this.#deps.slice) }, state.kind === 'following' ? 1 : 0);
  }
}
