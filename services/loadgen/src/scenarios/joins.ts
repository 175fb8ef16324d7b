import { setTimeout as sleep } from 'node:timers/promises';
import * as Y from 'yjs';
import { until, waited } from '../measure/pace.ts';
import type { Person } from '../people/person.ts';
import type { Room } from '../people/room.ts';
import { TEXT } from '../wire/typed-update.ts';
import { duration, gather, settle, typeFor } from './common.ts';
import type { Scenario, World } from './scenario.ts';

const seedMs = 120_000;
const updateBytes = 256 * 1024;
/** What a joiner gets is not looked at: it is counted. */
const beginningOnly = 64 * 1024;

const size = { bytes: { default: 25_000, say: 'Bytes of each document before anybody joins.' } } as const;

/** Writes documents and leaves: for what comes later, by the same `--prefix`. */
export const seed: Scenario = {
  name: 'seed',
  say: 'Writes documents and waits until they are acknowledged; with --prefix, for a later scenario.',
  parameters: { documents: { default: 1, say: 'Documents.' }, ...size },
  async run(world) {
    for (const room of rooms(world)) (await seeded(world, room)).leave();
    return {};
  },
};

/** Many come at once. */
export const joins: Scenario = {
  name: 'joins',
  say: 'People come at once: CPU a connect, time until all are synced. `rounds` times, one after the other.',
  parameters: {
    clients: { default: 1000, say: 'People who come.' },
    documents: { default: 1, say: 'Documents they come to.' },
    rounds: { default: 3, say: 'How often they come, all of them.' },
    rest: {
      default: 2,
      say: 'Seconds between the writing and the first join: what is done with a large document in the background takes its time.',
    },
    seeded: { default: 1, say: '1: the documents are written before and held open by their writer; 0: they are there (--prefix).' },
    ...size,
  },
  async run(world) {
    const { meter } = world;
    const all = rooms(world);
    if (world.parameter('seeded') === 1) for (const room of all) await seeded(world, room);
    await sleep(1000 * world.parameter('rest'));
    const figures: number[][] = [];
    const before = meter.rss();
    for (let round = 0; round < world.parameter('rounds'); round++) {
      meter.measure();
      const startedMs = performance.now();
      const people = Array.from({ length: world.parameter('clients') }, (_, i) =>
        world.person(all[i % all.length]!, i % world.transports.targets, { wholeBytesMax: beginningOnly }),
      );
      await Promise.all(people.map((person) => person.synced()));
      const seconds = (performance.now() - startedMs) / 1000;
      meter.phase('left');
      for (const person of people) meter.latency('joined').record(person.joinUs);
      const cpu = [...meter.cpu].reduce((sum, [name, used]) => (name === 'loadgen' ? sum : sum + used), 0);
      const bytes = people.reduce((sum, person) => sum + person.bytesIn, 0);
      figures.push([seconds, (cpu / people.length) * 1e6, bytes / people.length]);
      for (const person of people) person.leave();
      await sleep(1500);
    }
    const after = meter.peakRss;
    const growth = [...after].reduce(
      (sum, [name, bytes]) => (name === 'loadgen' ? sum : sum + Math.max(0, bytes - (before.get(name) ?? 0))),
      0,
    );
    return {
      seconds_until_all_synced: median(figures.map(([seconds]) => seconds!)),
      server_cpu_us_per_connect: median(figures.map(([, cpu]) => cpu!)),
      bytes_in_per_connect: median(figures.map(([, , bytes]) => bytes!)),
      peak_memory_growth_bytes: growth,
    };
  },
};

/** Documents that are loaded and used by somebody: what do they take? */
export const loaded: Scenario = {
  name: 'loaded',
  say: 'Documents that somebody has open: memory of the servers, as a multiple of their bytes.',
  parameters: {
    documents: { default: 100, say: 'Documents.' },
    bytes: { default: 148_000, say: 'Bytes of each.' },
    rest: { default: 8, say: 'Seconds to wait before memory is read.' },
  },
  async run(world) {
    const warm = world.room('loaded-first');
    await seeded(world, warm);
    await sleep(1000 * world.parameter('rest'));
    const before = world.meter.rss();
    const all = rooms(world);
    for (const room of all) await seeded(world, room);
    await sleep(1000 * world.parameter('rest'));
    const after = world.meter.rss();
    const bytes = world.parameter('bytes') * all.length;
    const growth = [...after].filter(([name]) => name !== 'loadgen').map(([name, rss]) => [name, rss - (before.get(name) ?? 0)] as const);
    return {
      rss_per_document_byte: growth.reduce((sum, [, more]) => sum + more, 0) / bytes,
      ...Object.fromEntries(growth.map(([name, more]) => [`rss_per_document_byte_${name}`, more / bytes])),
    };
  },
};

/** Some paste much, somebody else types. */
export const pastes: Scenario = {
  name: 'pastes',
  say: 'Writers paste 400 kB each into one document, while somebody types in another: the latency of the one who types.',
  parameters: {
    writers: { default: 50, say: 'People who paste.' },
    bytes: { default: 400_000, say: 'Bytes of a paste.' },
    spread: { default: 10, say: 'Seconds over which the pastes come.' },
    rate: { default: 20, say: 'Edits a second of the bystanders.' },
    ...duration,
  },
  async run(world) {
    const { meter, transports } = world;
    const busy = world.room('pastes', world.parameter('bytes'));
    const quiet = world.room('bystanders');
    const wholeBytesMax = 64 * 1024 * 1024;
    const pasters = await gather(world.parameter('writers'), (i) => world.person(busy, i % transports.targets, { wholeBytesMax }));
    for (const person of pasters) void person.writer;
    const bystanders = await gather(2, (i) => world.person(quiet, i % transports.targets, { meter: meter.of('bystander') }));
    for (const person of bystanders) void person.writer;
    await typeFor(bystanders, () => world.parameter('rate'), world.parameter('warm'));
    meter.measure();
    const pauseMs = (1000 * world.parameter('spread')) / pasters.length;
    const pasting = (async () => {
      for (const person of pasters) {
        person.type(Math.floor((performance.timeOrigin + performance.now()) * 1000));
        await sleep(pauseMs);
      }
    })();
    await typeFor(bystanders, () => world.parameter('rate'), world.parameter('spread') + world.parameter('seconds'));
    await pasting;
    return settle(world);
  },
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function rooms(world: World): Room[] {
  return Array.from({ length: world.parameter('documents') }, (_, i) => world.room(`document-${i}`));
}

/** Somebody who has written so much, and stays. */
async function seeded(world: World, room: Room): Promise<Person> {
  const person = await world.person(room, 0, { wholeBytesMax: beginningOnly }).synced();
  const updates = contentOf(world.parameter('bytes'));
  for (const update of updates) {
    person.sendUpdate(update);
    await until(
      () => person.unsentBytes === 0 && person.unacknowledged === 0,
      seedMs,
      () => `${room.document}: writing it took longer than ${seedMs / 1000} s`,
    );
  }
  if (world.meter.acknowledges) return person;
  // Nobody says that it is there: somebody else has to see it.
  const bytes = updates.reduce((sum, update) => sum + update.byteLength, 0);
  const isThere = async (): Promise<boolean> => {
    const witness = await world.person(room, 0, { wholeBytesMax: beginningOnly }).synced();
    witness.leave();
    return witness.bytesIn >= 0.9 * bytes;
  };
  for (let tries = 0; !(await isThere()); tries++) {
    if (tries > 60) throw new Error(`${room.document} was not written after ${tries} s`);
    await waited(() => false, 1000);
  }
  return person;
}

/** What four people wrote: insertions at random places, of some words each, the larger the document the longer. */
function contentOf(bytes: number): Uint8Array[] {
  const docs = Array.from({ length: 4 }, () => new Y.Doc());
  const updates: Uint8Array[] = [];
  const run = Math.max(12, Math.round(bytes / 20_000));
  let written = 0;
  for (let turn = 0; written < bytes; turn++) {
    const doc = docs[turn % docs.length]!;
    const vector = Y.encodeStateVector(doc);
    const text = doc.getText(TEXT);
    doc.transact(() => {
      for (let chunk = 0; chunk < updateBytes && written < bytes;) {
        const words = 'weft loses no acknowledged edit, and can prove it. '.repeat(Math.ceil(run / 51)).slice(0, run);
        text.insert(Math.floor(Math.random() * text.length), words);
        // Some twenty bytes around each.
        chunk += run + 20;
        written += run + 20;
      }
    });
    const update = Y.encodeStateAsUpdate(doc, vector);
    updates.push(update);
    for (const other of docs) if (other !== doc) Y.applyUpdate(other, update);
  }
  for (const doc of docs) doc.destroy();
  return updates;
}
