import { Random } from './random.ts';
import type { Place, SimHouse } from './sim-house.ts';
import type { SimUser } from './sim-user.ts';

export interface Fault {
  readonly number: number;
  readonly atMs: number;
  readonly kind: FaultKind;
}

/** What faults act on. */
export interface Stage {
  readonly house: SimHouse;
  users(): readonly SimUser[];
  addUser(): void;
  /** The log of a slice is wiped: what only it held is exempt. */
  wiped(slice: number): void;
}

type Act = (stage: Stage, random: Random) => void;

const places = ({ house }: Stage): Place[] => house.places.filter(({ process }) => process?.isAlive);
/** Ends by itself after a while. */
const forAWhile = ({ house }: Stage, ms: number, end: () => void): void => void house.scheduler.after(ms, end);

const acts = {
  kill: (stage, random) => {
    const place = random.pick(stage.house.places);
    stage.house.kill(place);
    forAWhile(stage, random.exponential(1_500), () => stage.house.start(place));
  },
  stop: (stage, random) => {
    const alive = places(stage);
    if (alive.length === 0) return;
    const { process } = random.pick(alive);
    process!.stop();
    forAWhile(stage, random.chance(0.2) ? 15_000 : random.exponential(2_000), () => process!.wake());
  },
  drain: (stage, random) => stage.house.drain(random.pick(stage.house.places), random.exponential(1_000)),
  cut: (stage, random) => {
    const alive = places(stage);
    if (alive.length === 0) return;
    const { process } = random.pick(alive);
    process!.isCut = true;
    forAWhile(stage, random.exponential(2_000), () => {
      process!.isCut = false;
      stage.house.log.wakeReaders();
    });
  },
  part: (stage, random) => {
    const [one, other] = [random.pick(places(stage)), random.pick(places(stage))];
    if (!one || !other || one === other) return;
    stage.house.network.part(one.process!.name, other.process!.name);
    forAWhile(stage, random.exponential(2_500), () => stage.house.network.joinAll());
  },
  'bus-loses': (stage, random) => {
    stage.house.network.weather.lost = random.pick([0.02, 0.2, 1]);
    forAWhile(stage, random.exponential(800), () => (stage.house.network.weather.lost = 0));
  },
  'bus-repeats': (stage, random) => {
    stage.house.network.weather.twice = random.between(0.05, 0.5);
    forAWhile(stage, random.exponential(1_500), () => (stage.house.network.weather.twice = 0));
  },
  'bus-late': (stage, random) => {
    Object.assign(stage.house.network.weather, { late: random.between(0.05, 0.5), lateMs: random.exponential(600) });
    forAWhile(stage, random.exponential(2_000), () => (stage.house.network.weather.late = 0));
  },
  'log-refuses': (stage, random) => {
    stage.house.log.weather.refused = random.pick([0.3, 1]);
    forAWhile(stage, random.exponential(1_000), () => (stage.house.log.weather.refused = 0));
  },
  'log-answers-lost': (stage, random) => {
    stage.house.log.weather.answerLost = random.pick([0.2, 1]);
    forAWhile(stage, random.exponential(1_500), () => (stage.house.log.weather.answerLost = 0));
  },
  'log-takes-late': (stage, random) => {
    stage.house.log.weather.takenLate = random.between(0.1, 0.6);
    forAWhile(stage, random.exponential(1_500), () => (stage.house.log.weather.takenLate = 0));
  },
  'log-slow': (stage, random) => {
    stage.house.log.weather.slowMs = random.exponential(300);
    forAWhile(stage, random.exponential(2_000), () => (stage.house.log.weather.slowMs = 0));
  },
  'log-full': (stage, random) => {
    stage.house.log.weather.full = true;
    forAWhile(stage, random.exponential(1_500), () => (stage.house.log.weather.full = false));
  },
  'log-away': (stage, random) => {
    stage.house.log.weather.away = true;
    forAWhile(stage, random.exponential(1_500), () => {
      stage.house.log.weather.away = false;
      stage.house.log.wakeReaders();
    });
  },
  'log-wiped': (stage, random) => {
    const slice = random.int(stage.house.layout.slices);
    stage.wiped(slice);
    stage.house.log.wipe(slice);
  },
  'store-refuses': (stage, random) => {
    stage.house.database.weather.refused = random.between(0.1, 0.6);
    forAWhile(stage, random.exponential(1_500), () => (stage.house.database.weather.refused = 0));
  },
  'store-answers-lost': (stage, random) => {
    stage.house.database.weather.answerLost = random.between(0.1, 0.6);
    forAWhile(stage, random.exponential(2_000), () => (stage.house.database.weather.answerLost = 0));
  },
  'store-slow': (stage, random) => {
    const { weather } = stage.house.database;
    Object.assign(weather, { slowMs: random.exponential(500), answerMs: random.chance(0.3) ? 20_000 : 0 });
    forAWhile(stage, random.exponential(2_500), () => Object.assign(weather, { slowMs: 0, answerMs: 0, readMs: 0 }));
    if (random.chance(0.6)) weather.readMs = 25_000;
  },
  'store-away': (stage, random) => {
    stage.house.database.weather.away = true;
    forAWhile(stage, random.exponential(3_000), () => (stage.house.database.weather.away = false));
  },
  'user-drops': (stage, random) => random.pick(stage.users()).drop(),
  'user-offline': (stage, random) => {
    const user = random.pick(stage.users());
    user.goOffline();
    forAWhile(stage, random.exponential(4_000), () => user.comeOnline());
  },
  'user-vanishes': (stage, random) => {
    random.pick(stage.users()).vanish();
    stage.addUser();
  },
  'user-joins': (stage) => stage.addUser(),
} satisfies Record<string, Act>;

export type FaultKind = keyof typeof acts;

/** How often each is drawn. */
const weights: Readonly<Record<FaultKind, number>> = {
  kill: 6,
  stop: 3,
  drain: 3,
  cut: 2,
  part: 2,
  'bus-loses': 3,
  'bus-repeats': 1,
  'bus-late': 2,
  'log-refuses': 2,
  'log-answers-lost': 2,
  'log-takes-late': 2,
  'log-slow': 1,
  'log-full': 1,
  'log-away': 1,
  'log-wiped': 0,
  'store-refuses': 1,
  'store-answers-lost': 2,
  'store-slow': 1,
  'store-away': 1,
  'user-drops': 2,
  'user-offline': 2,
  'user-vanishes': 5,
  'user-joins': 1,
};

/** How long faults go on. Some seeds take longer, so that something may stand still for longer than the house remembers (15 s; a worker's lookback is 10 s). */
export function lengthOf(seed: number): number {
  return new Random(seed, 'length').chance(0.15) ? 18_000 : 10_000;
}

/** What goes wrong in this seed, and when. Some seeds are mild, some are wild; each leaves some kinds out, so that rare mixtures come up. */
export function planOf(seed: number, lastMs: number): Fault[] {
  const random = new Random(seed, 'plan');
  const pauseMs = random.pick([300, 800, 2_000]);
  const kinds = (Object.keys(weights) as FaultKind[]).filter(() => random.chance(0.7));
  const drawn = kinds.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind));
  if (drawn.length === 0) drawn.push('kill');
  const faults: Fault[] = [];
  for (let atMs = 1_000 + random.exponential(pauseMs); atMs < lastMs; atMs += random.exponential(pauseMs))
    faults.push({ number: faults.length, atMs, kind: random.pick(drawn) });
  // A disaster is rare, and comes once.
  if (random.chance(0.05)) faults.push({ number: faults.length, atMs: random.between(3_000, lastMs), kind: 'log-wiped' });
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

/** Chances of a fault come from its own stream: leaving another out changes nothing here. */
export function strike(fault: Fault, seed: number, stage: Stage): void {
  acts[fault.kind](stage, new Random(seed, `fault ${fault.number}`));
}

/** Everything is as it should be from now on. */
export function heal({ house }: Stage): void {
  const { network, log, database } = house;
  network.joinAll();
  Object.assign(network.weather, { lost: 0, twice: 0, late: 0 });
  Object.assign(log.weather, { refused: 0, answerLost: 0, takenLate: 0, slowMs: 0, full: false, away: false });
  Object.assign(database.weather, { refused: 0, answerLost: 0, slowMs: 0, answerMs: 0, readMs: 0, away: false });
  for (const place of house.places) {
    place.process?.wake();
    if (place.process) place.process.isCut = false;
    house.start(place);
  }
  log.wakeReaders();
}
