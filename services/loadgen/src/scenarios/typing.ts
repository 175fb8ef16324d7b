import { duration, gather, settle, typeFor, typeMeasured, verify } from './common.ts';
import type { Person } from '../people/person.ts';
import type { Room } from '../people/room.ts';
import type { Scenario, World } from './scenario.ts';

/** Beyond it nobody calls it live. */
const bearableP99Ms = 250;
const stepUp = 1.15;
const triesAStep = 2;

const crowd = {
  people: { default: 3, say: 'People in each document; all of them type.' },
  pace: { default: 5, say: 'Edits a second that each person makes.' },
} as const;

/** Small documents, a few people in each, everybody types. The people of a document are spread over the targets. */
export const typing: Scenario = {
  name: 'typing',
  say: 'Many documents with a few people in each, who all type: CPU an update, latency, at a given rate.',
  parameters: { rate: { default: 1500, say: 'Edits a second in all.' }, ...crowd, ...duration },
  async run(world) {
    const rate = world.parameter('rate');
    const office = new Office(world);
    await office.growTo(rate);
    world.say(`${office.people.length} people in ${office.rooms.length} documents`);
    await typeMeasured(world, office.people, rate);
    return { ...(await settle(world)), ...(await verify(world, office.rooms.slice(0, 2))) };
  },
};

/** The highest rate that is borne: steps of 15 %, until the p99 of a step is 250 ms or what was sent does not arrive. */
export const ceiling: Scenario = {
  name: 'ceiling',
  say: 'The typing rate grows by 15 % a step, by more people, until p99 reaches 250 ms: the highest rate borne.',
  parameters: {
    from: { default: 3000, say: 'Edits a second of the first step.' },
    to: { default: 60_000, say: 'Edits a second at which it gives up growing.' },
    first: { default: 20, say: 'Seconds of the first step that come before it, for compilers to warm up.' },
    ...crowd,
    ...duration,
  },
  async run(world) {
    const { meter } = world;
    const office = new Office(world);
    meter.phase('warming');
    await office.growTo(world.parameter('from'));
    await typeFor(office.people, () => world.parameter('from'), world.parameter('first'));
    const best = { rate: 0, cpu: 0, p50: 0, p99: 0, ackP50: 0, ackP99: 0 };
    let missed = 0;
    for (let rate = world.parameter('from'); rate <= world.parameter('to'); rate *= missed > 0 ? 1 : stepUp) {
      meter.phase('growing');
      await office.growTo(rate);
      await typeMeasured(world, office.people, rate);
      const { sent, delivered } = meter.measured;
      const expected = sent * (world.parameter('people') - 1);
      const p99 = delivered < 0.95 * expected ? Number.POSITIVE_INFINITY : meter.latency('delivery').percentile(99);
      const cpu = [...meter.cpu].reduce((sum, [name, seconds]) => (name === 'loadgen' ? sum : sum + seconds), 0);
      world.say(
        `${Math.round(sent / meter.measuredSeconds)} updates/s: p99 ${p99 === Number.POSITIVE_INFINITY ? 'none, it does not keep up' : `${p99.toFixed(0)} ms`}, ${((cpu / sent) * 1e6).toFixed(0)} us an update`,
      );
      // A machine hiccups: a step counts as missed when it is missed twice.
      if (p99 >= bearableP99Ms && ++missed < triesAStep) continue;
      if (p99 >= bearableP99Ms) break;
      missed = 0;
      best.rate = sent / meter.measuredSeconds;
      best.cpu = cpu / sent;
      best.p50 = meter.latency('delivery').percentile(50);
      best.p99 = p99;
      best.ackP50 = meter.latency('ack').percentile(50);
      best.ackP99 = meter.latency('ack').percentile(99);
    }
    return {
      ceiling_updates_per_second: best.rate,
      ceiling_cpu_us_per_update: best.cpu * 1e6,
      ceiling_p50_ms: best.p50,
      ceiling_p99_ms: best.p99,
      ...(meter.acknowledges ? { ceiling_ack_p50_ms: best.ackP50, ceiling_ack_p99_ms: best.ackP99 } : {}),
      ...(await settle(world)),
    };
  },
};

/** More comes for a while than can be done; then it is as before. How long until it is? */
export const overload: Scenario = {
  name: 'overload',
  say: 'Steady typing, then for ten seconds twice what can be done (`peak`), then as before: when is it normal again, and who was lost?',
  parameters: {
    rate: { default: 5000, say: 'Edits a second before and after.' },
    peak: { default: 20_000, say: 'Edits a second of the overload.' },
    peakSeconds: { default: 10, say: 'How long the overload lasts.' },
    after: { default: 20, say: 'How long it is watched afterwards.' },
    ...crowd,
    ...duration,
  },
  async run(world) {
    const { meter } = world;
    const office = new Office(world);
    await office.growTo(world.parameter('rate'));
    await typeMeasured(world, office.people, world.parameter('rate'));
    const before = meter.latency('delivery').percentile(99);
    meter.phase('overload');
    await typeFor(office.people, () => world.parameter('peak'), world.parameter('peakSeconds'));
    meter.phase('after');
    const calmFrom = meter.series.length;
    await typeFor(office.people, () => world.parameter('rate'), world.parameter('after'));
    const normal = Math.max(2 * before, 50);
    const last = meter.series.slice(calmFrom).findLastIndex(({ p99 = 0 }) => p99 > normal);
    return { seconds_until_normal: last + 1, lost_connections: meter.lostConnections, ...(await settle(world)) };
  },
};

class Office {
  readonly rooms: Room[] = [];
  readonly people: Person[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** So many documents that each person types at their own pace when all type at `rate`. */
  async growTo(rate: number): Promise<void> {
    const inEach = this.#world.parameter('people');
    const wanted = Math.max(1, Math.round(rate / (inEach * this.#world.parameter('pace'))));
    const from = this.rooms.length;
    while (this.rooms.length < wanted) this.rooms.push(this.#world.room(`typing-${this.rooms.length}`));
    const more = await gather((this.rooms.length - from) * inEach, (index) => {
      const room = from + Math.floor(index / inEach);
      return this.#world.person(this.rooms[room]!, (room + index) % this.#world.transports.targets);
    });
    // A writer is known before anybody writes.
    for (const person of more) void person.writer;
    this.people.push(...more);
  }
}
