import type { Clock } from '@weft/lifecycle';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** Beginning of simulated time, ms since the epoch. */
const epochMs = Date.UTC(2026, 0, 1);

/**
 * One life of a process: everything that is to happen in it passes through here. Killed, nothing happens in it any more, whatever was under way; stopped (SIGSTOP), it
 * happens later, at once, when it is woken.
 */
export class SimProcess {
  readonly name: string;
  /** What it hears of the bus, the log and the store is lost or waits: its own cable is pulled. */
  isCut = false;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #threw: (error: unknown) => void;
  #state: 'running' | 'stopped' | 'killed' = 'running';
  #deferred: (() => void)[] = [];

  constructor(name: string, parts: { scheduler: Scheduler; random: Random; threw: (error: unknown) => void }) {
    this.name = name;
    this.#scheduler = parts.scheduler;
    this.#threw = parts.threw;
    const { scheduler, random } = parts;
    const bornMs = random.between(0, 1e6);
    const skewMs = random.chance(0.3) ? random.between(-90_000, 90_000) : random.between(-20, 20);
    const rate = random.between(0.995, 1.005);
    this.clock = {
      now: () => bornMs + scheduler.nowMs * rate,
      wallMs: () => epochMs + skewMs + scheduler.nowMs * rate,
      after: (ms, run) => this.later(ms / rate, run),
      soon: (run) => void this.later(0, run),
      random: () => random.next(),
    };
  }

  get isAlive(): boolean {
    return this.#state !== 'killed';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  later(ms: number, run: () => void): () => void {
    return this.#scheduler.after(ms, () => this.run(run));
  }

  /** Something reaches the process now. */
  run(run: () => void): void {
    if (this.#state === 'killed') return;
    if (this.#state === 'stopped') {
      this.#deferred.push(run);
      return;
    }
    try {
      run();
    } catch (error) {
      this.#threw(error);
    }
  }

  /** Settles `ms` from now, if the process lives then. */
  settle<T>(ms: number, outcome: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.later(ms, () => {
        try {
          resolve(outcome());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  kill(): void {
    this.#state = 'killed';
    this.#deferred = [];
  }

  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  wake(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const run of deferred) this.later(0, run);
  }
}

/** The wall clock of the servers: right. */
export function serverMs(scheduler: Scheduler): number {
  return epochMs + scheduler.nowMs;
}
