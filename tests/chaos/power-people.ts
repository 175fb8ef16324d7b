import { LedgerWriter } from '../harness/ledger-writer.ts';
import type { Random } from '../harness/random.ts';
import { type UserKind, userKinds } from '../harness/users.ts';

const typeEveryMs = 10;
const editsAtOnceMax = 3;
const lastBurstMax = 20;
const struckWithinMs = 60_000;
/** Told when an edit is safe. */
const tellingKinds = ['hocuspocus-4', 'hocuspocus-3'] as const;

export interface House {
  url(gateway: number): string;
  token(): Promise<string>;
}

export interface Person {
  readonly writer: LedgerWriter;
  readonly document: string;
}

/**
 * The people of the rounds. Stayers live through all of them: they type on while the house is dark and bring their documents along when they come back. Guests
 * come for one round and are gone for good when it strikes: what was acknowledged to them only the house can still have.
 */
export class PowerPeople {
  readonly stayers: readonly Person[];
  readonly #house: House;
  readonly #token: string;
  readonly #random: Random;
  #typing: NodeJS.Timeout | undefined;

  private constructor(house: House, token: string, random: Random, sharedDocuments: readonly string[]) {
    this.#house = house;
    this.#token = token;
    this.#random = random;
    // In each document one of each kind on each gateway.
    this.stayers = sharedDocuments.flatMap((document) =>
      [0, 1].flatMap((gateway) => userKinds.map((kind) => this.#person(`${document}-${kind}-${gateway}`, document, kind, gateway))),
    );
  }

  static async sitDown(house: House, random: Random, sharedDocuments: readonly string[]): Promise<PowerPeople> {
    const people = new PowerPeople(house, await house.token(), random, sharedDocuments);
    await untilSynced(people.stayers);
    return people;
  }

  /** One guest a document. */
  async guests(round: string, documents: readonly string[]): Promise<readonly Person[]> {
    const guests = documents.map((document, i) =>
      this.#person(`guest-${round}-${i}`, document, tellingKinds[i % tellingKinds.length]!, Math.floor(i / tellingKinds.length)),
    );
    await untilSynced(guests);
    return guests;
  }

  /**
   * All type; after `typingMs` one guest types its last, and `strike` is called in the very moment its acknowledgement is there, while the others go on. It sends its
   * signals before it returns its promise; then all guests are gone without a word. Stayers type on until `rest`.
   */
  async typeUntilStruck<T>(guests: readonly Person[], typingMs: number, strike: () => Promise<T>): Promise<T> {
    this.#type([...guests, ...this.stayers]);
    try {
      await new Promise((resolve) => setTimeout(resolve, typingMs));
      const struck = await this.#strikeWithAcknowledgement(this.#random.pick(guests).writer, strike);
      this.#type(this.stayers);
      for (const { writer } of guests) writer.user.crash();
      return await struck.done;
    } catch (error) {
      this.rest();
      throw error;
    }
  }

  rest(): void {
    clearInterval(this.#typing);
  }

  leave(): void {
    this.rest();
    for (const { writer } of this.stayers) writer.user.leave();
  }

  #type(people: readonly Person[]): void {
    this.rest();
    if (people.length === 0) return;
    this.#typing = setInterval(() => {
      const { writer } = this.#random.pick(people);
      for (let i = this.#random.int(editsAtOnceMax); i >= 0; i--) writer.type();
    }, typeEveryMs);
  }

  /** Wrapped: what comes of the strike is awaited by whoever can do something meanwhile. */
  #strikeWithAcknowledgement<T>(writer: LedgerWriter, strike: () => Promise<T>): Promise<{ readonly done: Promise<T> }> {
    return new Promise((resolve, reject) => {
      for (let i = this.#random.int(lastBurstMax); i >= 0; i--) writer.type();
      const goal = writer.made;
      const timer = setTimeout(
        () => reject(new Error(`${writer.user.name} got no acknowledgement in ${struckWithinMs} ms`)),
        struckWithinMs,
      );
      const stop = writer.user.onNews(() => {
        // The writer's own listener came first: `acknowledged` is of this very moment.
        if (writer.acknowledged < goal) return;
        stop();
        clearTimeout(timer);
        resolve({ done: strike() });
      });
    });
  }

  #person(name: string, document: string, kind: UserKind, gateway: number): Person {
    const options = { kind, name, document, url: this.#house.url(gateway), token: this.#token };
    return { writer: new LedgerWriter(options, this.#random), document };
  }
}

async function untilSynced(people: readonly Person[]): Promise<void> {
  await Promise.all(people.map(({ writer }) => writer.user.untilSynced()));
}
