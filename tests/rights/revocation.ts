import { setTimeout as pause } from 'node:timers/promises';
import { IdentityStore } from '@weft/store';
import * as Y from 'yjs';
import type { Cluster } from '../harness/cluster.ts';
import { collab, y } from '../limits/frames.ts';
import { Person } from '../limits/person.ts';
import { until } from '../limits/until.ts';

const password = 'correct horse battery';
const typeEveryMs = 200;
/** How long everybody goes on typing after the last was told. */
const afterwardsMs = 3_000;

/** What is done to somebody who is typing. */
export type Deed = 'made a viewer' | 'role taken' | 'signed out everywhere' | 'disabled';

export interface Told {
  readonly deed: Deed;
  /** From the call of the API to the moment this client was told: ms, to 5 ms. */
  readonly tookMs: number;
  /** Edits made after that and found in the document all the same: 0, or something is wrong. */
  readonly writtenAfter: number;
}

export interface RevocationOptions {
  readonly clients: number;
  readonly documents: number;
  /** Between two calls of the API; 0: all at once. */
  readonly everyMs: number;
}

interface Account {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

/**
 * People of real accounts (`WEFT_AUTH=builtin`) type into shared documents over all gateways of the cluster, in both dialects, while their rights are taken through auth's API: measured to each socket. They
 * type on whatever they are told, and what comes of it is looked for in the document.
 */
export class Revocation {
  readonly #cluster: Cluster;
  readonly #options: RevocationOptions;
  readonly #prefix: string;
  #calls = 0;

  constructor(cluster: Cluster, options: RevocationOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#prefix = `r${options.everyMs}`;
  }

  async run(): Promise<Told[]> {
    const owner = await this.#signUp('owner');
    await this.#makeAdmin(owner);
    const readers = await Promise.all(this.#rooms.map((room) => Person.collab(this.#port(0), room, { token: owner.token })));
    const writers: Writer[] = [];
    for (let i = 0; i < this.#options.clients; i++) writers.push(await this.#writer(i, owner));
    await until(() => writers.every((writer) => this.#written(readers, writer) > 3), 'everybody writes');

    const told: Promise<number>[] = [];
    for (const writer of writers) {
      told.push(this.#strike(writer, owner));
      if (this.#options.everyMs > 0) await pause(this.#options.everyMs);
    }
    const took = await Promise.all(told);
    await pause(afterwardsMs);
    for (const writer of writers) writer.stop();
    const result = writers.map((writer, i) => ({
      deed: writer.deed,
      tookMs: took[i]!,
      writtenAfter: Math.max(0, this.#written(readers, writer) - writer.madeWhenTold),
    }));
    await Promise.all([...readers, ...writers.map(({ person }) => person)].map(({ client }) => client.close()));
    return result;
  }

  /** A document with somebody in it at each gateway, in both dialects, is deleted and restored: gives how long the last of them was there, ms. Rejects where somebody is not let in again. */
  async deleteDocument(): Promise<number> {
    const room = `${this.#prefix}/deleted`;
    const owner = await this.#signUp('deleter');
    const path = `documents/${encodeURIComponent(room)}`;
    const open = (): Promise<Person[]> =>
      Promise.all(
        [0, 1].flatMap((i) => [Person.collab(this.#port(i), room, { token: owner.token }), Person.y(this.#port(i), room, owner.token)]),
      );
    const people = await open();
    await people[0]!.types('kept');
    const fromMs = performance.now();
    await this.#call('DELETE', path, owner.token);
    await Promise.all(people.map(({ client }) => client.isClosed()));
    const tookMs = performance.now() - fromMs;
    const codes = people.map(({ client }) => client.closed!.code);
    if (codes.some((code) => code !== 4403)) throw new Error(`closed with ${codes.join(' ')} instead of 4403`);
    await this.#call('POST', `${path}/restore`, owner.token);
    const back = await open();
    await Promise.all(back.map((person) => person.sees('kept')));
    await Promise.all(back.map(({ client }) => client.close()));
    return tookMs;
  }

  get #rooms(): string[] {
    return Array.from({ length: this.#options.documents }, (_, i) => `${this.#prefix}/room-${i}`);
  }

  #written(readers: readonly Person[], { person, room }: Writer): number {
    const reader = readers.find(({ address }) => address === room)!;
    reader.text();
    return Y.getState(reader.doc.store, person.doc.clientID);
  }

  async #writer(i: number, owner: Account): Promise<Writer> {
    const account = await this.#signUp(`p${i}`);
    const room = this.#rooms[i % this.#options.documents]!;
    await this.#call('PUT', `documents/${encodeURIComponent(room)}/roles/${account.name}`, owner.token, { role: 'editor' });
    const isCollab = Math.floor(i / 2) % 2 === 0;
    const person = isCollab
      ? await Person.collab(this.#port(i), room, { token: account.token })
      : await Person.y(this.#port(i), room, account.token);
    // Only one dialect tells of a right that has become smaller.
    const deeds: readonly Deed[] = isCollab
      ? ['made a viewer', 'role taken', 'signed out everywhere', 'disabled']
      : ['role taken', 'signed out everywhere', 'disabled'];
    return new Writer({ account, room, person, isCollab, deed: deeds[Math.floor(i / 4) % deeds.length]! });
  }

  /** Gives how long it took until the client was told, ms. */
  async #strike(writer: Writer, owner: Account): Promise<number> {
    const { account, room, deed, person } = writer;
    const role = `documents/${encodeURIComponent(room)}/roles/${account.name}`;
    const fromMs = performance.now();
    const calls: Readonly<Record<Deed, () => Promise<unknown>>> = {
      'made a viewer': () => this.#call('PUT', role, owner.token, { role: 'viewer' }),
      'role taken': () => this.#call('DELETE', role, owner.token),
      'signed out everywhere': () => this.#call('POST', 'sign-out-everywhere', account.token),
      disabled: () => this.#call('PUT', `users/${account.id}/disabled`, owner.token, { disabled: true }),
    };
    const called = calls[deed]();
    const isTold =
      deed === 'made a viewer'
        ? () => person.client.all('authenticated', room).some(({ scope }) => scope === 'readonly')
        : () => person.client.closed !== undefined;
    await until(isTold, `${account.name} is told (${deed})`);
    const tookMs = performance.now() - fromMs;
    writer.madeWhenTold = writer.made;
    await called;
    return tookMs;
  }

  async #signUp(name: string): Promise<Account> {
    const userName = `${this.#prefix}-${name}`;
    const { user, accessToken } = (await this.#call('POST', 'sign-up', undefined, { userName, password })) as {
      user: { id: string };
      accessToken: string;
    };
    return { id: user.id, name: userName, token: accessToken };
  }

  /** As `npm run person` does. */
  async #makeAdmin({ id }: Account): Promise<void> {
    await this.#cluster.withDatabase((database) => new IdentityStore(database).setAdmin(id, true));
  }

  /** At each auth in turn, as from another address each time: those are limited. */
  async #call(method: string, path: string, token?: string, body?: object): Promise<unknown> {
    const n = this.#calls++;
    const { port } = this.#cluster.auth[n % this.#cluster.auth.length]!;
    const response = await fetch(`http://127.0.0.1:${port}/auth/${path}`, {
      method,
      headers: {
        'x-forwarded-for': `10.1.${n >> 8}.${n & 255}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /auth/${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  #port(i: number): number {
    const { gateways } = this.#cluster;
    return gateways[i % gateways.length]!.port;
  }
}

/** Types without end, whatever it is told. */
class Writer {
  readonly account: Account;
  readonly room: string;
  readonly person: Person;
  readonly deed: Deed;
  made = 0;
  madeWhenTold = 0;
  readonly #typing: NodeJS.Timeout;

  constructor(parts: { account: Account; room: string; person: Person; isCollab: boolean; deed: Deed }) {
    this.account = parts.account;
    this.room = parts.room;
    this.person = parts.person;
    this.deed = parts.deed;
    this.#typing = setInterval(() => {
      const edit = this.person.edit('x');
      this.made += 1;
      if (!this.person.client.closed) this.person.client.send(parts.isCollab ? collab.update(this.room, edit) : y.update(edit));
    }, typeEveryMs);
  }

  stop(): void {
    clearInterval(this.#typing);
  }
}

/** What a cluster is started with for it. */
export const revocationCluster = { gateways: 2, auth: 2, env: { WEFT_AUTH: 'builtin', WEFT_TRUSTED_PROXIES: '127.0.0.1' } } as const;

export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;
}
