import type { Random } from '../harness/random.ts';

/** What may happen to the house. The order is that of the report. */
export const faultKinds = [
  'kill-gateway',
  'kill-worker',
  'kill-persistence',
  'kill-auth',
  'freeze-gateway',
  'freeze-worker',
  'freeze-persistence',
  'freeze-auth',
  'roll-gateways',
  'roll-workers',
  'kill-nats',
  'stop-nats',
  'freeze-nats',
  'step-down',
  'kill-postgres',
  'restart-postgres',
  'restart-redis',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What a fault takes hold of. Of each, one fault at a time: so there are never two NATS servers down at once. */
export type Room = 'gateway' | 'sync-worker' | 'persistence' | 'auth' | 'nats' | 'postgres' | 'redis';

export const roomOf: Readonly<Record<FaultKind, Room>> = {
  'kill-gateway': 'gateway',
  'kill-worker': 'sync-worker',
  'kill-persistence': 'persistence',
  'kill-auth': 'auth',
  'freeze-gateway': 'gateway',
  'freeze-worker': 'sync-worker',
  'freeze-persistence': 'persistence',
  'freeze-auth': 'auth',
  'roll-gateways': 'gateway',
  'roll-workers': 'sync-worker',
  'kill-nats': 'nats',
  'stop-nats': 'nats',
  'freeze-nats': 'nats',
  'step-down': 'nats',
  'kill-postgres': 'postgres',
  'restart-postgres': 'postgres',
  'restart-redis': 'redis',
};

export interface Fault {
  readonly kind: FaultKind;
  /** Which one of the room's, modulo their number. */
  readonly target: number;
  /** Down, or frozen, for so long; a rolling restart and a step-down take their own time. */
  readonly holdMs: number;
}

/** One or two faults at once, and how long the house is left alone after they are healed. */
export interface Step {
  readonly faults: readonly Fault[];
  readonly pauseMs: number;
}

const freezeMsMin = 1_000;
const freezeMsMaxDefault = 15_000;
const downMsMin = 200;
const downMsMax = 4_000;
/** One step in so many has a second fault, of another room, at the same time. */
const pairEvery = 4;

export interface PlanOptions {
  readonly kinds: readonly FaultKind[];
  /** Between two steps, on average. */
  readonly pauseMs: number;
  /** Default 15 s. */
  readonly freezeMsMax?: number;
}

/** The plan of a run, endless. The seed alone decides it: what happens in the house, and how fast, has no part in it. */
export class FaultPlan {
  readonly #random: Random;
  readonly #kinds: readonly FaultKind[];
  readonly #pauseMs: number;
  readonly #freezeMsMax: number;
  #bag: FaultKind[] = [];

  constructor(random: Random, options: PlanOptions) {
    this.#random = random;
    this.#kinds = options.kinds;
    this.#pauseMs = options.pauseMs;
    this.#freezeMsMax = options.freezeMsMax ?? freezeMsMaxDefault;
  }

  next(): Step {
    const first = this.#fault(this.#draw());
    const second = this.#random.int(pairEvery) === 0 ? this.#drawBeside(roomOf[first.kind]) : undefined;
    const faults = second === undefined ? [first] : [first, this.#fault(second)];
    return { faults, pauseMs: Math.round(this.#pauseMs * (0.5 + this.#random.int(1000) / 1000)) };
  }

  /** Every kind once, in random order, before any comes again. */
  #draw(): FaultKind {
    if (this.#bag.length === 0) this.#bag = [...this.#kinds];
    return this.#bag.splice(this.#random.int(this.#bag.length), 1)[0]!;
  }

  #drawBeside(room: Room): FaultKind | undefined {
    const at = this.#bag.findIndex((kind) => roomOf[kind] !== room);
    return at < 0 ? undefined : this.#bag.splice(at, 1)[0];
  }

  #fault(kind: FaultKind): Fault {
    const [min, max] = kind.startsWith('freeze') ? [freezeMsMin, this.#freezeMsMax] : [downMsMin, downMsMax];
    return { kind, target: this.#random.int(1_000), holdMs: min + this.#random.int(max - min) };
  }
}
