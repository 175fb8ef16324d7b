import type * as Y from 'yjs';
import { untilEqual } from '../harness/gathering.ts';
import type { Random } from '../harness/random.ts';
import { storedDocument, untilStored } from '../harness/stored-content.ts';
import { User, userKinds } from '../harness/users.ts';
import type { Cut, PowerHouse } from './power-house.ts';
import { type Person, PowerPeople } from './power-people.ts';
import type { PlannedRound } from './power-variants.ts';

/** Written in by all rounds. */
const sharedDocuments = ['shared-a', 'shared-b'];
const typingMsMin = 500;
const typingMsMax = 2_500;
/** A provider waits up to 30 s between two attempts (protocol.md). */
const recoveredWithinMs = 90_000;

export interface PowerRound extends Cut {
  readonly planned: PlannedRound;
  readonly edits: number;
  /** Before it struck, of the edits of this round. */
  readonly acknowledged: number;
  /** Of these, to people who were gone for good when it struck. Where they typed alone or with each other, nobody but the house can bring it back. */
  readonly acknowledgedToGuests: number;
  /** `document: writer#3`, of each one that somebody lacks. */
  readonly lost: readonly string[];
  readonly readyMs: number;
  /** From the strike until everybody had everything. */
  readonly wellMs: number;
}

export interface PowerRoundsOptions {
  readonly house: PowerHouse;
  readonly random: Random;
  /** People who stay through all rounds, default six in each of two documents. They would bring back what a control is to lose. */
  readonly stayers?: boolean;
}

/**
 * Rounds of: twenty people type; in the very moment of an acknowledgement processes end with kill -9 and disks forget what was not synced; all start again on
 * what is left, and who stayed comes back. Then every edit that was ever acknowledged has to be in every client's document, in a newcomer's first answer, and in Postgres, and all of these are equal.
 */
export class PowerRounds {
  readonly #house: PowerHouse;
  readonly #random: Random;
  readonly #people: PowerPeople;
  readonly #guestDocuments: (round: number) => readonly string[];
  /** All who ever wrote, by document. */
  readonly #writers = new Map<string, Person[]>();
  #round = 0;

  private constructor(house: PowerHouse, random: Random, people: PowerPeople) {
    this.#house = house;
    this.#random = random;
    this.#people = people;
    this.#guestDocuments = people.stayers.length > 0 ? besidesStayers : alone;
    for (const person of people.stayers) this.#remember(person);
  }

  static async begin({ house, random, stayers = true }: PowerRoundsOptions): Promise<PowerRounds> {
    return new PowerRounds(house, random, await PowerPeople.sitDown(house.cluster, random, stayers ? sharedDocuments : []));
  }

  async run(planned: PlannedRound): Promise<PowerRound> {
    this.#round += 1;
    const people = this.#people;
    const before = { edits: editsOf(people.stayers), acknowledged: acknowledgedOf(people.stayers) };
    const guests = await people.guests(String(this.#round), this.#guestDocuments(this.#round));
    for (const guest of guests) this.#remember(guest);
    const typingMs = typingMsMin + this.#random.int(typingMsMax - typingMsMin);
    let struckMs = 0;
    let acknowledgedToStayers = 0;
    const cut = await people.typeUntilStruck(guests, typingMs, () => {
      struckMs = performance.now();
      acknowledgedToStayers = acknowledgedOf(people.stayers) - before.acknowledged;
      return this.#house.goDark(planned, this.#random);
    });
    const readyMs = await this.#house.comeBack(planned);
    people.rest();
    for (const { writer } of people.stayers) writer.user.tryAgain();
    const fresh = [...new Set(guests.map(({ document }) => document))].filter((document) => !sharedDocuments.includes(document));
    const found = await Promise.all([...fresh.map((document) => this.#lookInto(document)), ...this.#sharedBy(people.stayers)]);
    return {
      planned,
      ...cut,
      edits: editsOf(people.stayers) - before.edits + editsOf(guests),
      acknowledged: acknowledgedToStayers + acknowledgedOf(guests),
      acknowledgedToGuests: acknowledgedOf(guests),
      lost: [...new Set(found.flat())],
      readyMs,
      wellMs: performance.now() - struckMs,
    };
  }

  /** Everything that was ever acknowledged, in Postgres. */
  async lookAgain(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const document of this.#writers.keys()) lost.push(...this.#missing(document, await storedDocument(this.#house.cluster, document)));
    return lost;
  }

  /** To everybody in all rounds, who stayed too. */
  get acknowledged(): number {
    return acknowledgedOf([...this.#writers.values()].flat());
  }

  end(): void {
    this.#people.leave();
  }

  /** By somebody new: what was acknowledged has to be in the very first answer. Then in Postgres, which comes to have the same. */
  async #lookInto(document: string): Promise<readonly string[]> {
    const { cluster } = this.#house;
    const reader = new User({
      kind: this.#random.pick(userKinds),
      name: 'reader',
      url: cluster.url(this.#random.int(2)),
      document,
      token: await cluster.token(),
    });
    try {
      await reader.untilSynced(recoveredWithinMs);
      const missing = this.#missing(document, reader.doc);
      await untilStored(cluster, document, reader.doc, recoveredWithinMs);
      return [...missing, ...this.#missing(document, await storedDocument(cluster, document))];
    } finally {
      reader.leave();
    }
  }

  #sharedBy(stayers: readonly Person[]): Promise<readonly string[]>[] {
    const documents = [...new Set(stayers.map(({ document }) => document))];
    return documents.map((document) =>
      this.#isWhole(
        document,
        stayers.filter((person) => person.document === document),
      ),
    );
  }

  /** All who stayed are acknowledged and equal, and Postgres with them. */
  async #isWhole(document: string, stayers: readonly Person[]): Promise<readonly string[]> {
    const users = stayers.map(({ writer }) => writer.user);
    const docs = users.map(({ doc }) => doc);
    await Promise.all(users.map((user) => (user.tally ? user.untilAcknowledged(recoveredWithinMs) : user.untilSynced(recoveredWithinMs))));
    await untilEqual(docs, recoveredWithinMs);
    await untilStored(this.#house.cluster, document, docs[0]!, recoveredWithinMs);
    for (const { name, tally } of users)
      if (tally && tally.surplus > 0) throw new Error(`${name} got answers it never asked for: ${JSON.stringify(tally)}`);
    return docs.flatMap((doc) => this.#missing(document, doc));
  }

  #missing(document: string, doc: Y.Doc): string[] {
    return (this.#writers.get(document) ?? []).flatMap(({ writer }) => writer.missingIn(doc)).map((entry) => `${document}: ${entry}`);
  }

  #remember(person: Person): void {
    this.#writers.set(person.document, [...(this.#writers.get(person.document) ?? []), person]);
  }
}

function editsOf(people: readonly Person[]): number {
  return people.reduce((sum, { writer }) => sum + writer.made, 0);
}

function acknowledgedOf(people: readonly Person[]): number {
  return people.reduce((sum, { writer }) => sum + writer.acknowledged, 0);
}

/** Eight guests make twenty with those who stay: four alone, two together, two among the others. */
function besidesStayers(round: number): readonly string[] {
  return [...Array.from({ length: 4 }, (_, i) => `alone-${round}-${i}`), `pair-${round}`, `pair-${round}`, ...sharedDocuments];
}

function alone(round: number): readonly string[] {
  return [...Array.from({ length: 12 }, (_, i) => `alone-${round}-${i}`), ...Array.from({ length: 8 }, (_, i) => `pair-${round}-${i % 4}`)];
}
