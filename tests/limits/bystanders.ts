import { expect } from 'vitest';
import type { House } from './house.ts';
import { Person } from './person.ts';
import { textOf } from './text-of.ts';

/**
 * Two people in one document, one of each dialect, who do nothing wrong. `goOn` shows that what others did has not harmed them: an edit still arrives and is
 * acknowledged exactly once, in both directions, and nothing came that is not theirs.
 */
export class Bystanders {
  readonly writer: Person;
  readonly reader: Person;
  #edits = 0;
  #text: string;

  private constructor(writer: Person, reader: Person) {
    this.writer = writer;
    this.reader = reader;
    this.#text = writer.text();
  }

  static async in(port: number, document: string, { token = '', readerPort = port } = {}): Promise<Bystanders> {
    return new Bystanders(await Person.collab(port, document, { token }), await Person.y(readerPort, document, token));
  }

  /** `othersWrote`: what others rightly added to the document since. */
  async goOn(othersWrote = ''): Promise<void> {
    const there = `[there ${this.#edits}]`;
    const back = `[back ${this.#edits++}]`;
    if (othersWrote !== '') {
      await this.writer.sees(othersWrote);
      await this.reader.sees(othersWrote);
    }
    await this.writer.types(there);
    await this.reader.sees(there);
    await this.reader.types(back);
    await this.writer.sees(back);
    this.#text += othersWrote + there + back;
    expect(this.writer.text()).toBe(this.#text);
    expect(this.reader.text()).toBe(this.#text);
    for (const person of [this.writer, this.reader]) {
      expect(person.unreadable).toEqual([]);
      expect(person.client.closed).toBeUndefined();
    }
  }

  /**
   * What the log holds of the document makes exactly the text they see. Polled: the reader's dialect has no acknowledgement, so its last edit may still be on
   * its way there.
   */
  async findNothingElseInTheLog(house: House): Promise<void> {
    await expect.poll(async () => textOf(await house.logged(this.writer.address)), { timeout: 10_000 }).toBe(this.#text);
  }

  async leave(): Promise<void> {
    await this.writer.client.close();
    await this.reader.client.close();
  }
}
