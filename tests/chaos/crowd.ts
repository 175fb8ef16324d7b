import type { Random } from '../harness/random.ts';
import { User, type UserKind, userKinds, type UserOptions } from '../harness/users.ts';
import type { Balancer } from './balancer.ts';
import type { Sightings } from './sightings.ts';
import { type Notes, Typist } from './typist.ts';

const documentsMax = 10;
/** One client in so many writes alone, in a document of its own, and soon vanishes. */
const aloneEvery = 6;
/** Between two edits of one client. */
const typeMsMean = 500;
/** How long a client lives before it vanishes for good, with its next acknowledgement. Those who share a document: long; those who are alone: seldom through more than one fault. */
const sharedLifeMs = [30_000, 150_000] as const;
const aloneLifeMs = [3_000, 12_000] as const;
const acknowledgingKinds = ['hocuspocus-4', 'hocuspocus-3'] as const;

interface Seat {
  readonly index: number;
  readonly alone: boolean;
  typist: Typist;
  vanishesMs: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * The people: each seat is one genuine client of one of three providers, who types on and on. Some vanish for good, right after an acknowledgement, and somebody new takes the seat. People who share a
 * document and come back would hide a loss, because each brings the whole document along: so some write alone, and only the house can still have what was acknowledged to them.
 */
export class Crowd {
  readonly documents: readonly string[];
  readonly #seats: Seat[] = [];
  readonly #vanished: Notes[] = [];
  readonly #balancer: Balancer;
  readonly #sightings: Sightings;
  readonly #token: string;
  readonly #random: Random;
  #newcomers = 0;
  #typing = false;

  constructor(options: { clients: number; balancer: Balancer; sightings: Sightings; token: string; random: Random }) {
    this.#balancer = options.balancer;
    this.#sightings = options.sightings;
    this.#token = options.token;
    this.#random = options.random;
    const alone = Math.floor(options.clients / aloneEvery);
    const shared = options.clients - alone;
    // Somebody of each kind in each document.
    const documents = Math.max(1, Math.min(documentsMax, Math.floor(shared / userKinds.length)));
    this.documents = Array.from({ length: documents }, (_, i) => `chaos-${i + 1}`);
    for (let index = 0; index < options.clients; index++) {
      const seat = { index, alone: index >= shared, vanishesMs: 0, timer: undefined } as const;
      this.#seats.push({ ...seat, typist: this.#newcomer(seat) });
    }
    for (const seat of this.#seats) this.#setLife(seat);
  }

  /** Who is here now. */
  get living(): readonly Typist[] {
    return this.#seats.map(({ typist }) => typist);
  }

  get vanished(): readonly Notes[] {
    return this.#vanished;
  }

  /** What everybody ever made, and what was acknowledged. */
  get notes(): readonly Notes[] {
    return [...this.#vanished, ...this.living.map(({ notes }) => notes)];
  }

  async untilSynced(): Promise<void> {
    await Promise.all(this.living.map(({ writer }) => writer.user.untilSynced()));
  }

  startTyping(): void {
    this.#typing = true;
    for (const seat of this.#seats) {
      this.#setLife(seat);
      this.#typeOn(seat);
    }
  }

  stopTyping(): void {
    this.#typing = false;
    for (const { timer } of this.#seats) clearTimeout(timer);
  }

  /** At the moment of a blow half of those who are alone are gone for good: only what was acknowledged to them by then counts. */
  struck(): void {
    for (const seat of this.#seats) if (this.#typing && seat.alone && this.#random.int(2) === 0) this.#vanish(seat);
  }

  leave(): void {
    this.stopTyping();
    for (const { typist } of this.#seats) {
      this.#sightings.forget(typist.writer.user.name);
      typist.writer.user.leave();
    }
  }

  /** Somebody fresh who only reads; gone when `read` is done. */
  async withReader<T>(document: string, read: (reader: User) => Promise<T>): Promise<T> {
    const reader = new User(this.#options(`reader-${this.#newcomers++}`, document, this.#random.pick(userKinds)));
    try {
      return await read(reader);
    } finally {
      this.#sightings.forget(reader.name);
      reader.leave();
    }
  }

  #typeOn(seat: Seat): void {
    const waitMs = typeMsMean * (0.3 + (1.4 * this.#random.int(1000)) / 1000);
    seat.timer = setTimeout(() => {
      if (performance.now() >= seat.vanishesMs && this.#isPromisedAll(seat.typist)) this.#vanish(seat);
      seat.typist.type();
      this.#typeOn(seat);
    }, waitMs);
  }

  #isPromisedAll({ pending, notes }: Typist): boolean {
    return notes.kind !== 'y-websocket' && pending === 0 && notes.madeMs.length > 0;
  }

  #vanish(seat: Seat): void {
    const { user } = seat.typist.writer;
    this.#sightings.forget(user.name);
    user.crash();
    this.#vanished.push(seat.typist.notes);
    seat.typist = this.#newcomer(seat);
    this.#setLife(seat);
  }

  #setLife(seat: Seat): void {
    const [min, max] = seat.alone ? aloneLifeMs : sharedLifeMs;
    seat.vanishesMs = performance.now() + min + this.#random.int(max - min);
  }

  #newcomer({ index, alone }: Pick<Seat, 'index' | 'alone'>): Typist {
    const number = this.#newcomers++;
    const name = `${alone ? 'alone' : 'client'}-${index}-${number}`;
    const document = alone ? `chaos-${name}` : this.documents[index % this.documents.length]!;
    const kinds: readonly UserKind[] = alone ? acknowledgingKinds : userKinds;
    return new Typist(
      this.#options(name, document, kinds[(alone ? number : Math.floor(index / this.documents.length)) % kinds.length]!),
      this.#random,
    );
  }

  #options(name: string, document: string, kind: UserKind): UserOptions {
    return {
      kind,
      name,
      document,
      token: this.#token,
      url: 'ws://127.0.0.1',
      sockets: {
        route: this.#balancer.route,
        watch: (socket, url) => this.#sightings.watch(socket, { client: name, kind, gateway: this.#balancer.gatewayAt(url) }),
      },
    };
  }
}
