import * as Y from 'yjs';
import { collab, y } from '../limits/frames.ts';
import { until } from '../limits/until.ts';
import { type Door, RawSession } from './raw-session.ts';

/** Somebody with a document in a session without WebSocket: applies what is heard, pushes what is edited. */
export class SessionPerson {
  readonly client: RawSession;
  readonly doc = new Y.Doc();
  readonly #update: (update: Uint8Array) => Uint8Array;
  readonly #acknowledges: boolean;
  #applied = 0;

  private constructor(client: RawSession, document: string, dialect: 'collab' | 'yjs') {
    this.client = client;
    this.#acknowledges = dialect === 'collab';
    this.#update = dialect === 'collab' ? (update) => collab.update(document, update) : y.update;
  }

  /** Opens the document and has it. */
  static async in(port: Door, document: string, dialect: 'collab' | 'yjs' = 'collab', token = ''): Promise<SessionPerson> {
    const client = await RawSession.open(port, dialect === 'collab' ? {} : { dialect, document, token });
    return SessionPerson.on(client, document, dialect, token);
  }

  /** On a session that is there. */
  static async on(client: RawSession, document: string, dialect: 'collab' | 'yjs' = 'collab', token = ''): Promise<SessionPerson> {
    if (dialect === 'collab') await client.push(collab.auth(document, token), collab.step1(document));
    else await client.push(y.step1());
    await client.heard('step2');
    return new SessionPerson(client, document, dialect);
  }

  text(): string {
    for (; this.#applied < this.client.frames.length; this.#applied++) {
      const frame = this.client.frames[this.#applied]!;
      if (frame.is === 'step2' || frame.is === 'update') Y.applyUpdate(this.doc, frame.update, 'server');
    }
    return this.doc.getText('t').toString();
  }

  /** The frame that appends these words, not pushed. */
  edit(words: string): Uint8Array {
    this.text();
    const before = Y.encodeStateVector(this.doc);
    this.doc.getText('t').insert(this.doc.getText('t').length, words);
    return this.#update(Y.encodeStateAsUpdate(this.doc, before));
  }

  /** Types and, where the dialect has acknowledgements, waits for it: exactly one, and it says taken. */
  async types(words: string): Promise<void> {
    const before = this.client.statuses().length;
    await this.client.push(this.edit(words));
    if (this.#acknowledges) await this.isAcknowledged(before + 1);
  }

  async isAcknowledged(count: number): Promise<void> {
    await until(() => this.client.statuses().length >= count, 'an edit is acknowledged');
    const statuses = this.client.statuses();
    if (statuses.length !== count || statuses.includes(0)) throw new Error(`${count} edits were answered ${statuses.join(' ')}`);
  }

  async sees(words: string): Promise<void> {
    await until(() => this.text().includes(words), `${JSON.stringify(words.slice(0, 80))} is seen`, {
      seen: () => `(text: ${this.text().slice(-80)})`,
    });
  }
}
