import { setTimeout as sleep } from 'node:timers/promises';
import { pace, waited } from '../measure/pace.ts';
import type { Person } from '../people/person.ts';
import { nowUs } from '../wire/stamp.ts';
import { duration, gather, turns } from './common.ts';
import type { Scenario, World } from './scenario.ts';

const settleMs = 20_000;

/** Carets that move. */
export const presence: Scenario = {
  name: 'presence',
  say: 'One document full of people whose carets move: CPU, frames, latency of a caret.',
  parameters: {
    people: { default: 500, say: 'People.' },
    pace: { default: 1, say: 'Moves a second of each.' },
    ...duration,
  },
  async run(world) {
    const of = world.room('presence');
    const people = await gather(world.parameter('people'), (i) => world.person(of, i % world.transports.targets));
    const rate = world.parameter('people') * world.parameter('pace');
    const move = async (seconds: number): Promise<void> => {
      const next = turns(people);
      const end = performance.now() + 1000 * seconds;
      await pace({ rate: () => rate, act: (dueUs) => next().announce(dueUs), done: () => performance.now() >= end });
    };
    world.meter.phase('warming');
    await move(world.parameter('warm'));
    world.meter.measure();
    await move(world.parameter('seconds'));
    return settlePresence(world, people);
  },
};

/** Everybody comes at once, and each shows where they are. */
export const presenceJoins: Scenario = {
  name: 'presence-joins',
  say: 'People come at once into one document, each with presence: time until everybody sees everybody, frames in all.',
  parameters: { people: { default: 300, say: 'People.' } },
  async run(world) {
    const of = world.room('presence-joins');
    // The document is open somewhere already.
    await gather(1, () => world.person(of, 0));
    world.meter.measure();
    const startedMs = performance.now();
    const people = Array.from({ length: world.parameter('people') }, (_, i) => world.person(of, i % world.transports.targets));
    for (const person of people)
      void person.synced().then(
        () => person.announce(nowUs()),
        () => undefined,
      );
    await waited(() => people.every((person) => person.isSynced), settleMs);
    await waited(() => people.every((person) => person.missingPresence === 0), settleMs);
    const seconds = (performance.now() - startedMs) / 1000;
    await sleep(1000);
    return { seconds_until_all_seen: seconds, frames_in: world.meter.total.frames, ...(await settlePresence(world, people)) };
  },
};

/** Newest wins: what was overtaken need not arrive, the last of each must. */
async function settlePresence({ meter }: World, people: readonly Person[]): Promise<Record<string, number>> {
  meter.phase('settling');
  const missing = (): number => people.reduce((sum, person) => sum + person.missingPresence, 0);
  await waited(() => missing() === 0, settleMs);
  return { not_delivered: missing() };
}
