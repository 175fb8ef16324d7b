import { waited } from '../measure/pace.ts';
import type { Scenario } from './scenario.ts';
import { duration, gather, settle, turns, typeMeasured, verify } from './common.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** Written between two looks at the sockets. */
const burst = 200;
/** Of those who read while others write flat out; to time each edit at each reader would take more than all the servers do. */
const timedReaders = 8;

/** One document that many read. */
export const room: Scenario = {
  name: 'room',
  say: 'One document, many readers, few writers: CPU a delivery, latency.',
  parameters: {
    readers: { default: 1000, say: 'People who only read.' },
    writers: { default: 1, say: 'People who write.' },
    rate: { default: 50, say: 'Edits a second in all.' },
    ...duration,
  },
  async run(world) {
    const { targets } = world.transports;
    const of = world.room('room');
    await gather(world.parameter('readers'), (i) => world.person(of, i % targets));
    const writers = await gather(world.parameter('writers'), (i) => world.person(of, i % targets));
    for (const person of writers) void person.writer;
    await typeMeasured(world, writers, world.parameter('rate'));
    return { ...(await settle(world)), ...(await verify(world, [of])) };
  },
};

/** Writers who write as fast as it goes: each has at most so many edits that are not acknowledged, or, where nothing is acknowledged, that a reader has not seen. */
export const flatOut: Scenario = {
  name: 'flat-out',
  say: 'One document, writers as fast as it goes, and readers: edits a second that reach everybody. Servers may merge.',
  parameters: {
    readers: { default: 200, say: 'People who only read.' },
    writers: { default: 5, say: 'People who write.' },
    window: { default: 2000, say: 'Edits each writer may have on the way.' },
    ...duration,
  },
  async run(world) {
    const { meter, transports } = world;
    const of = world.room('flat-out');
    const readers = await gather(world.parameter('readers'), (i) =>
      world.person(of, i % transports.targets, { isTimed: i < timedReaders }),
    );
    const writers = await gather(world.parameter('writers'), (i) => world.person(of, i % transports.targets, { isTimed: false }));
    for (const person of writers) void person.writer;
    const probes = readers.slice(0, 2 * transports.targets);
    const window = world.parameter('window');
    const next = turns(writers);
    const typed = new Map(writers.map((person) => [person, 0]));
    // The reader who is furthest behind decides: nobody is to be left behind.
    const hasRoom = (person: (typeof writers)[number]): boolean =>
      person.unacknowledged < window &&
      probes.every((probe) => typed.get(person)! - probe.editsSeen(person.writer) < window) &&
      person.unsentBytes < 64 * 1024;
    const write = async (seconds: number): Promise<void> => {
      for (const end = performance.now() + 1000 * seconds; performance.now() < end; await new Promise((resolve) => setImmediate(resolve)))
        for (let i = 0; i < burst; i++) {
          const person = next();
          if (!hasRoom(person)) continue;
          typed.set(person, typed.get(person)! + 1);
          person.type(Math.floor((performance.timeOrigin + performance.now()) * 1000));
        }
    };
    const seen = (): number =>
      readers.reduce((sum, reader) => sum + writers.reduce((edits, { writer }) => edits + reader.editsSeen(writer), 0), 0) / readers.length;
    meter.phase('warming');
    await write(world.parameter('warm'));
    const before = seen();
    meter.measure();
    await write(world.parameter('seconds'));
    const after = seen();
    meter.phase('settling');
    const rate = (after - before) / meter.measuredSeconds;
    return { edits_per_second_to_everybody: rate, ...(await settle(world)), ...(await verify(world, [of])) };
  },
};

/** A few write next to nothing into many idle connections. */
export const idle: Scenario = {
  name: 'idle',
  say: 'Connections that do nothing: memory each.',
  parameters: {
    clients: { default: 5000, say: 'Connections.' },
    documents: { default: 500, say: 'Documents they are spread over.' },
    rest: { default: 5, say: 'Seconds to wait before memory is read, before and after.' },
  },
  async run(world) {
    const { meter, transports } = world;
    // What comes with the first connections is not theirs.
    const rooms = Array.from({ length: world.parameter('documents') }, (_, i) => world.room(`idle-${i}`));
    await gather(rooms.length, (i) => world.person(rooms[i]!, i % transports.targets));
    await sleep(1000 * world.parameter('rest'));
    const before = meter.rss();
    const clients = world.parameter('clients');
    await gather(clients, (i) => world.person(rooms[i % rooms.length]!, i % transports.targets));
    await sleep(1000 * world.parameter('rest'));
    const after = meter.rss();
    return Object.fromEntries(
      [...after]
        .filter(([name]) => name !== 'loadgen')
        .map(([name, bytes]) => [`rss_bytes_per_connection_${name}`, (bytes - (before.get(name) ?? 0)) / clients]),
    );
  },
};

/** How long one edit takes when nothing else happens. */
export const rest: Scenario = {
  name: 'rest',
  say: 'One document, two people on different targets, an edit now and then: latency at rest.',
  parameters: {
    rate: { default: 5, say: 'Edits a second.' },
    ...duration,
  },
  async run(world) {
    const of = world.room('rest');
    const people = await gather(2, (i) => world.person(of, i % world.transports.targets));
    for (const person of people) void person.writer;
    await typeMeasured(world, people, world.parameter('rate'));
    await waited(() => people.every((person) => person.missing === 0), 5000);
    return settle(world);
  },
};
