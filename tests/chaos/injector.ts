import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import type { Server } from '@weft/testkit';
import type { Cluster } from '../harness/cluster.ts';
import type { ServiceName, ServiceProcess } from '../harness/service-process.ts';
import { type Fault, type FaultKind, roomOf, type Step } from './faults.ts';

const stepDownMsMax = 5_000;
/** NATS elects a new leader within seconds; a step-down asked while there is none is asked again. */
const stepDownAttemptsMax = 10;

/** When something was wrong with what, ms of `performance.now()`: until everything it touched was ready again. */
export interface FaultWindow {
  readonly kind: FaultKind;
  readonly targets: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Does to a cluster what a plan says, and undoes it. */
export class Injector {
  readonly #cluster: Cluster;
  readonly #slices: number;
  readonly #struck: () => void;
  readonly #windows: { kind: FaultKind; targets: readonly string[]; fromMs: number; untilMs: number }[] = [];

  /** @param options.struck called at the very moment of each blow */
  constructor(cluster: Cluster, options: { readonly slices: number; readonly struck: () => void }) {
    this.#cluster = cluster;
    this.#slices = options.slices;
    this.#struck = options.struck;
  }

  /** Those that last still have no end (Infinity). */
  get windows(): readonly FaultWindow[] {
    return this.#windows;
  }

  /** Resolves when all of the step's faults are healed. Rejects when something does not come back, or was stopped and did not leave with 0. */
  async run({ faults }: Step): Promise<void> {
    // Both healings are awaited even when one fails: nothing may go on behind a run that ended.
    const ends = await Promise.allSettled(faults.map((fault) => this.#inject(fault)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #inject(fault: Fault): Promise<void> {
    const { kind, holdMs } = fault;
    const targets = this.#targets(fault);
    const window = { kind, targets: targets.map(({ id }) => id), fromMs: performance.now(), untilMs: Number.POSITIVE_INFINITY };
    this.#windows.push(window);
    try {
      for (const target of targets) await this.#blow(fault, target, holdMs);
    } finally {
      window.untilMs = performance.now();
    }
  }

  async #blow(fault: Fault, target: Target, holdMs: number): Promise<void> {
    const { kind } = fault;
    const [deed] = kind.split('-');
    if (kind === 'step-down') {
      this.#struck();
      return this.#stepDown(target.id);
    }
    if (deed === 'freeze') {
      await target.pause();
      this.#struck();
      await sleep(holdMs);
      return target.resume();
    }
    const down = deed === 'kill' ? target.kill() : target.stop();
    this.#struck();
    await down;
    // A rolling restart leaves nobody waiting.
    if (deed !== 'roll') await sleep(holdMs);
    await target.start();
  }

  #targets({ kind, target }: Fault): readonly Target[] {
    const { nats, postgres, redis, services } = this.#cluster;
    const room = roomOf[kind];
    switch (room) {
      case 'nats': {
        if (kind === 'step-down') return [named(this.#streams()[target % this.#slices]!, nats)];
        const index = target % nats.servers.length;
        return [named(`nats-${index + 1}`, nats.servers[index]!)];
      }
      case 'postgres':
        return [named(room, postgres)];
      case 'redis':
        return [named(room, redis)];
      default: {
        const all = services.filter(({ service }) => service === (room satisfies ServiceName));
        return kind.startsWith('roll') ? all : [all[target % all.length]!];
      }
    }
  }

  #streams(): readonly string[] {
    return Array.from({ length: this.#slices }, (_, slice) => `WEFT_LOG_${slice}`);
  }

  async #stepDown(stream: string): Promise<void> {
    const connection = await connect({ servers: this.#cluster.nats.url.split(','), timeout: stepDownMsMax });
    try {
      for (let attempt = 1; attempt <= stepDownAttemptsMax; attempt++) {
        const answer = await connection
          .request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: stepDownMsMax })
          .then((message) => message.json<{ success?: boolean }>())
          .catch(() => ({ success: false }));
        if (answer.success === true) return;
        await sleep(500);
      }
      throw new Error(`NATS let no leader of ${stream} step down`);
    } finally {
      await connection.close();
    }
  }
}

type Target = Pick<Server, 'kill' | 'stop' | 'start' | 'pause' | 'resume'> & Pick<ServiceProcess, 'id'>;

function named(id: string, server: Server): Target {
  return {
    id,
    kill: () => server.kill(),
    stop: () => server.stop(),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
}
