import { NatsBus } from '@weft/bus';
import type { Gateway } from '@weft/gateway';
import { startNats } from '@weft/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { collab, y } from '../limits/frames.ts';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { RawClient } from '../limits/raw-client.ts';
import { until } from '../limits/until.ts';
import { RightsBook } from './rights-book.ts';

const clients = 100;
const documents = 10;
const typeEveryMs = 200;
/** targets.md, invariant 7. */
const withinMs = 2_000;

let house: House;
let book: RightsBook;
let gateways: Gateway[];
const buses: NatsBus[] = [];
beforeAll(async () => {
  const nats = await startNats();
  house = await House.start({
    auth: false,
    bus: async (logger) => async () => {
      const bus = await NatsBus.connect({ url: nats.url, name: 'rights', logger });
      buses.push(bus);
      return bus;
    },
  });
  book = new RightsBook(await house.bus());
  gateways = [await house.gateway(), await house.gateway()];
});
afterAll(async () => {
  await house.stop();
  for (const bus of buses) await bus.close();
});

/** Types without end, whatever it is told. On a socket where another document stays open: withdrawing the one does not end it. */
class Writer {
  readonly person: Person;
  readonly document: string;
  readonly token: string;
  readonly isCollab: boolean;
  readonly #typing: NodeJS.Timeout;

  constructor(person: Person, document: string, token: string) {
    this.person = person;
    this.document = document;
    this.token = token;
    this.isCollab = person.address !== '';
    this.#typing = setInterval(() => {
      const edit = person.edit('x');
      if (!person.client.closed) person.client.send(this.isCollab ? collab.update(document, edit) : y.update(edit));
    }, typeEveryMs);
  }

  get clientId(): number {
    return this.person.doc.clientID;
  }

  stop(): void {
    clearInterval(this.#typing);
  }
}

async function writerNumber(i: number): Promise<Writer> {
  const { port } = gateways[i % 2]!;
  const document = `room-${i % documents}`;
  const token = `writer-${i}`;
  book.write(token, { user: token, session: `${token}-session` });
  if (Math.floor(i / 2) % 2 === 0) return new Writer(await Person.y(port, document, token), document, token);
  const client = await RawClient.collab(port);
  await Person.collab(port, `own-${i}`, { token, client });
  return new Writer(await Person.collab(port, document, { token, client }), document, token);
}

/** How much of each writer the log has, by its client id. */
async function writtenBy(writers: readonly Writer[]): Promise<Map<number, number>> {
  const written = new Map<number, number>();
  for (const document of new Set(writers.map((writer) => writer.document))) {
    const updates = await house.logged(document);
    for (const [clientId, clock] of Y.decodeStateVector(Y.encodeStateVectorFromUpdate(Y.mergeUpdates(updates))))
      written.set(clientId, clock);
  }
  return written;
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;
}

test(
  '[GW12][GW13] a hundred clients of two gateways, typing: downgraded and withdrawn within 2 s, and none writes after',
  { timeout: 120_000 },
  async () => {
    const writers: Writer[] = [];
    for (let i = 0; i < clients; i++) writers.push(await writerNumber(i));
    await until(async () => {
      const written = await writtenBy(writers);
      return writers.every(({ clientId }) => (written.get(clientId) ?? 0) > 3);
    }, 'everybody writes');

    const took: number[] = [];
    await Promise.all(
      writers.map(async (writer, i) => {
        const { client } = writer.person;
        // Half of those that can be told are made viewers, the others lose the document.
        const downgraded = writer.isCollab && i % 4 < 3;
        if (downgraded) book.write(writer.token, { role: 'viewer' });
        else book.refuse(writer.token, writer.document);
        const saidAtMs = performance.now();
        book.say(i % 3 === 0 ? { session: `${writer.token}-session` } : { user: writer.token, document: writer.document });
        if (!writer.isCollab) await client.isClosed();
        else if (downgraded)
          await until(() => client.all('authenticated', writer.document).some(({ scope }) => scope === 'readonly'), 'it is told');
        else await client.heard('denied', { address: writer.document });
        took.push(performance.now() - saidAtMs);
      }),
    );
    // What was taken before may still be on its way into the log.
    await until(async () => {
      const before = await writtenBy(writers);
      await new Promise((resolve) => setTimeout(resolve, 3 * typeEveryMs));
      const after = await writtenBy(writers);
      return writers.every(({ clientId }) => before.get(clientId) === after.get(clientId));
    }, 'nobody writes any more');
    const end = await writtenBy(writers);
    await new Promise((resolve) => setTimeout(resolve, 5 * typeEveryMs));
    expect(await writtenBy(writers)).toEqual(end);
    for (const writer of writers) {
      writer.stop();
      expect(writer.person.text().length).toBeGreaterThan(3);
    }

    const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)];
    process.stderr.write(`rights: from the word on the bus to ${clients} sockets: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`);
    expect(p99).toBeLessThan(withinMs);
    await Promise.all(writers.map(({ person }) => person.client.close()));
  },
);
