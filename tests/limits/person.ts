import * as Y from 'yjs';
import { collab, y } from './frames.ts';
import { RawClient } from './raw-client.ts';
import { until } from './until.ts';

/** Somebody with a document, on a raw connection: applies what is heard, sends what is edited. */
export class Person {
  readonly client: RawClient;
  readonly doc = new Y.Doc();
  readonly address: string;
  readonly #update: (update: Uint8Array) => Uint8Array;
  /** Updates heard that Yjs could not read. */
  readonly unreadable: unknown[] = [];
  /** Updates heard after the document was open. */
  readonly updatesHeard: Uint8Array[] = [];
  #applied = 0;

  private constructor(client: RawClient, address: string, update: (update: Uint8Array) => Uint8Array) {
    this.client = client;
    this.address = address;
    this.#update = update;
  }

  /** Opens the document and has it. */
  static async collab(
    port: number,
    document: string,
    { token = '', client }: { token?: string; client?: RawClient } = {},
  ): Promise<Person> {
    const own = client ?? (await RawClient.collab(port));
    own.send(collab.auth(document, token), collab.step1(document));
    await own.heard('step2', { address: document });
    return new Person(own, document, (update) => collab.update(document, update)).#ready();
  }

  static async y(port: number, document: string, token = ''): Promise<Person> {
    const client = await RawClient.y(port, encodeURIComponent(document), token);
    client.send(y.step1());
    await client.heard('step2');
    return new Person(client, '', y.update).#ready();
  }

  #ready(): this {
    this.#apply();
    this.updatesHeard.length = 0;
    return this;
  }

  /** The text as far as heard. */
  text(): string {
    this.#apply();
    return this.doc.getText('t').toString();
  }

  #apply(): void {
    for (; this.#applied < this.client.frames.length; this.#applied++) {
      const frame = this.client.frames[this.#applied]!;
      if ((frame.is !== 'step2' && frame.is !== 'update') || frame.address !== this.address) continue;
      this.updatesHeard.push(frame.update);
      try {
        Y.applyUpdate(this.doc, frame.update, 'server');
      } catch (error) {
        this.unreadable.push(error);
      }
    }
  }

  /** The update that appends these words, not sent. */
  edit(words: string): Uint8Array {
    this.#apply();
    const before = Y.encodeStateVector(this.doc);
    this.doc.getText('t').insert(this.doc.getText('t').length, words);
    return Y.encodeStateAsUpdate(this.doc, before);
  }

  /** Types and, where the dialect has acknowledgements, waits for it: exactly one, and it says taken. */
  async types(words: string): Promise<void> {
    const before = this.client.statuses(this.address).length;
    this.client.send(this.#update(this.edit(words)));
    if (this.address === '') return;
    await until(() => this.client.statuses(this.address).length > before, `an edit is acknowledged`, {
      seen: () => `(closed: ${JSON.stringify(this.client.closed)})`,
    });
    const answers = this.client.statuses(this.address).slice(before);
    if (answers.length !== 1 || answers[0] !== 1) throw new Error(`an edit was answered ${answers.join(' ')}`);
  }

  async sees(words: string, options: { withinMs?: number } = {}): Promise<void> {
    await until(() => this.text().includes(words), `${JSON.stringify(words.slice(0, 80))} is seen`, {
      ...options,
      seen: () => `(text: ${this.text().slice(-80)})`,
    });
  }
}
