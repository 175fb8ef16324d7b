import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, type ClusterOptions, startCluster } from '../harness/cluster.ts';
import { untilEqual } from '../harness/gathering.ts';
import { randomFrom } from '../harness/random.ts';
import { Balancer } from './balancer.ts';
import { type Checked, Checker, type Patience } from './checker.ts';
import { Crowd } from './crowd.ts';
import { causesOf } from './expectations.ts';
import { FaultPlan, type PlanOptions, type Step } from './faults.ts';
import { Injector } from './injector.ts';
import { Sightings } from './sightings.ts';
import type { Notes } from './typist.ts';
import type { Violation } from './violations.ts';
import { type Visit, Visits } from './visits.ts';

/** More than one, so that what is cut by slices is tried too. */
export const slices = 2;
/** Long enough to see the closes spread. */
const drain = '3s';
/** A provider waits up to 30 s between two attempts (protocol.md). */
const settledWithinMs = 120_000;

export interface ChaosOptions extends PlanOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly clients: number;
  /** Default: three gateways, workers and NATS servers, two of persistence and auth. */
  readonly cluster?: ClusterOptions;
  /** Told of each step, before it. */
  readonly onStep?: (step: Step) => void;
}

/**
 * A house of real processes, people in it, and faults. In order: `begin`, `rage`, `settle`, `check`, `end`. What went wrong meanwhile is in `violations`.
 */
export class ChaosRun {
  readonly cluster: Cluster;
  readonly crowd: Crowd;
  readonly injector: Injector;
  readonly sightings: Sightings;
  readonly violations: Violation[] = [];
  readonly startMs = performance.now();
  readonly #options: ChaosOptions;
  readonly #balancer: Balancer;
  #visits: Visits | undefined;
  #convergedMs = Number.NaN;

  private constructor(parts: { cluster: Cluster; crowd: Crowd; balancer: Balancer; sightings: Sightings; options: ChaosOptions }) {
    this.cluster = parts.cluster;
    this.crowd = parts.crowd;
    this.sightings = parts.sightings;
    this.#balancer = parts.balancer;
    this.#options = parts.options;
    this.injector = new Injector(parts.cluster, { slices, struck: () => this.crowd.struck() });
  }

  /** Everybody is there and synced. */
  static async begin(options: ChaosOptions): Promise<ChaosRun> {
    const cluster = await startCluster({
      gateways: 3,
      workers: 3,
      persistence: 2,
      auth: 2,
      nats: 3,
      ...options.cluster,
      env: { WEFT_DRAIN: drain, ...options.cluster?.env, WEFT_LOG_SLICES: String(slices) },
    });
    const balancer = new Balancer(cluster);
    const sightings = new Sightings();
    const { clients, seed } = options;
    // Of its own: what people do depends on how fast the house is, and the plan of faults must not.
    const crowd = new Crowd({ clients, balancer, sightings, token: await cluster.token(), random: randomFrom(seed + 1) });
    const run = new ChaosRun({ cluster, crowd, balancer, sightings, options });
    try {
      await crowd.untilSynced();
    } catch (error) {
      await run.end();
      throw error;
    }
    return run;
  }

  /** From the last keystroke until everything of everybody was acknowledged and all clients of each document were equal. */
  get convergedMs(): number {
    return this.#convergedMs;
  }

  get visits(): readonly Visit[] {
    return this.#visits?.all ?? [];
  }

  /** People type, and one step after the other is done, until the time is up. All is healed then. */
  async rage(): Promise<void> {
    const { seed, durationMs, onStep } = this.#options;
    const plan = new FaultPlan(randomFrom(seed), this.#options);
    this.crowd.startTyping();
    this.#visits = new Visits(this.crowd, randomFrom(seed + 2));
    for (const endMs = performance.now() + durationMs; performance.now() < endMs;) {
      const step = plan.next();
      await sleep(step.pauseMs);
      onStep?.(step);
      try {
        await this.injector.run(step);
      } catch (error) {
        this.violations.push({ kind: 'stuck', says: error instanceof Error ? error.message : String(error) });
        break;
      }
      if (!this.#allRun()) break;
    }
    this.crowd.stopTyping();
  }

  /** Quiet: nobody types, nothing is broken. Waits until there is nothing left to do. */
  async settle(): Promise<void> {
    const startMs = performance.now();
    const { living } = this.crowd;
    try {
      const users = living.map(({ writer }) => writer.user).filter(({ tally }) => tally !== undefined);
      await Promise.all(users.map((user) => user.untilAcknowledged(settledWithinMs)));
      for (const document of this.crowd.documents)
        await untilEqual(
          living.filter((typist) => typist.document === document).map(({ doc }) => doc),
          settledWithinMs,
        );
      this.#convergedMs = performance.now() - startMs;
    } catch (error) {
      this.violations.push({ kind: 'unsaved', says: String(error) });
    }
    this.violations.push(...((await this.#visits?.end()) ?? []));
    this.violations.push(...this.#unexplained(), ...this.#miscounted());
  }

  /** May be called again: it looks anew. For tests of the checker: other notes than people took, and less patience. */
  check({ notes = this.crowd.notes, patience }: { notes?: readonly Notes[]; patience?: Patience } = {}): Promise<Checked> {
    const context = { startMs: this.startMs, windows: this.injector.windows };
    return new Checker(this.cluster, this.crowd, context, patience).check(notes);
  }

  async end(): Promise<void> {
    await this.#visits?.end();
    this.crowd.leave();
    this.#balancer.stop();
    await this.cluster.kill();
  }

  /** Nobody but us ends a service. */
  #allRun(): boolean {
    const gone = this.cluster.services.filter(({ runs }) => !runs);
    for (const { id, logTail } of gone) this.violations.push({ kind: 'stuck', says: `${id} ended by itself:\n${logTail}` });
    return gone.length === 0;
  }

  #unexplained(): Violation[] {
    const causes = causesOf(this.sightings.all, this.injector.windows);
    return this.sightings.all
      .filter((_, i) => causes[i] === undefined)
      .map(({ client, gateway, what, phase, detail, atMs }) => ({
        kind: 'seen',
        says: `${client} saw "${what}" (${phase}, ${gateway}) at ${((atMs - this.startMs) / 1000).toFixed(3)} s: ${detail}`,
      }));
  }

  /** Exactly one answer for each question (protocol.md); what is refused shows itself as a sighting. */
  #miscounted(): Violation[] {
    return this.crowd.living.flatMap(({ writer: { user } }) =>
      user.tally !== undefined && user.tally.surplus > 0
        ? [{ kind: 'seen', says: `${user.name} got answers it never asked for: ${JSON.stringify(user.tally)}` }]
        : [],
    );
  }
}
