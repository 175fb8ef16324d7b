import { setTimeout as sleep } from 'node:timers/promises';
import { pace, waited } from '../measure/pace.ts';
import { Genuine } from '../people/genuine.ts';
import type { Person } from '../people/person.ts';
import type { Room } from '../people/room.ts';
import type { World } from './scenario.ts';

/** So many connections are on their way at once while a crowd gathers; joins are measured elsewhere. */
const atOnce = 200;
const settleMs = 20_000;

/** Makes so many people and waits until each is synced. */
export async function gather(count: number, make: (index: number) => Person): Promise<Person[]> {
  const people: Person[] = [];
  while (people.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - people.length) }, (_, i) => make(people.length + i));
    await Promise.all(some.map((person) => person.synced()));
    people.push(...some);
  }
  return people;
}

/** In random order, again and again: nobody twice before everybody once. */
export function turns<T>(all: readonly T[]): () => T {
  const order = [...all];
  let at = order.length;
  return () => {
    if (at >= order.length) {
      at = 0;
      for (let i = order.length - 1; i > 0; i--) {
        const j = Math.floor(Math.random() * (i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
    }
    return order[at++]!;
  };
}

/** Everybody types in turn, `rate` edits a second in all, for so long. */
export async function typeFor(writers: readonly Person[], rate: () => number, seconds: number): Promise<void> {
  const next = turns(writers);
  const end = performance.now() + 1000 * seconds;
  await pace({ rate, act: (dueUs) => next().type(dueUs), done: () => performance.now() >= end });
}

/** Warming, then measured. */
export async function typeMeasured(world: World, writers: readonly Person[], rate: number): Promise<void> {
  world.meter.phase('warming');
  await typeFor(writers, () => rate, world.parameter('warm'));
  world.meter.measure();
  await typeFor(writers, () => rate, world.parameter('seconds'));
  world.meter.phase('settling');
}

export const duration = {
  warm: { default: 3, say: 'Seconds of load before it is measured.' },
  seconds: { default: 10, say: 'Seconds that are measured.' },
} as const;

/** Waits until everybody has everything, and says how much is not there. */
export async function settle({ people, meter }: World): Promise<Record<string, number>> {
  meter.phase('settling');
  const missing = (): number => people.reduce((sum, person) => sum + person.missing, 0);
  const unacknowledged = (): number => (meter.acknowledges ? people.reduce((sum, person) => sum + person.unacknowledged, 0) : 0);
  await waited(() => missing() === 0 && unacknowledged() === 0, settleMs);
  return { not_delivered: missing(), not_acknowledged: unacknowledged() };
}

/**
 * Genuine providers, one a target, open the document and must come to hold exactly what was written in it, and the same text. Gives how many edits they lack, and how many of them
 * differ from the first.
 */
export async function verify(world: World, rooms: readonly Room[]): Promise<Record<string, number>> {
  let lacking = 0;
  let differing = 0;
  for (const room of rooms) {
    const { targets } = world.transports;
    const genuine = Array.from({ length: Math.min(2, Math.max(1, targets)) }, (_, target) => new Genuine(world, room, target));
    await waited(() => genuine.every((one) => one.lacking === 0), settleMs);
    await sleep(0);
    lacking += genuine.reduce((sum, one) => sum + one.lacking, 0);
    differing += genuine.filter((one) => one.text !== genuine[0]!.text).length;
    for (const one of genuine) one.leave();
  }
  return { genuine_lack: lacking, genuine_differ: differing };
}
