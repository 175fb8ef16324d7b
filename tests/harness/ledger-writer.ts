import type * as Y from 'yjs';
import type { Random } from './random.ts';
import { editAtRandom } from './random-edits.ts';
import { User, type UserOptions } from './users.ts';

/**
 * Somebody who writes down what was promised: every edit adds an entry of its own to the document's ledger, and once the provider says that nothing is unsaved, all entries
 * so far must be found again whatever happens.
 */
export class LedgerWriter {
  readonly user: User;
  readonly #random: Random;
  #made = 0;
  #acknowledged = 0;

  constructor(options: UserOptions, random: Random) {
    this.user = new User(options);
    this.#random = random;
    this.user.onNews(() => {
      if (this.user.isAcknowledged) this.#acknowledged = this.#made;
    });
  }

  get made(): number {
    return this.#made;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** One update: a ledger entry, and something at random in the text beside it. */
  type(): void {
    const { doc, name } = this.user;
    this.#made += 1;
    const entry = this.#made;
    doc.transact(() => {
      ledgerOf(doc).set(`${name}#${entry}`, entry);
      editAtRandom(doc, 'text', this.#random, name);
    });
  }

  async typeAcknowledged(edits: number): Promise<void> {
    for (let i = 0; i < edits; i++) this.type();
    await this.user.untilAcknowledged();
  }

  /** Acknowledged entries that `doc` lacks. */
  missingIn(doc: Y.Doc): string[] {
    return missingEntries(doc, this.user.name, this.#acknowledged);
  }
}

/** Of the first `count` entries of a writer, those that `doc` lacks. */
export function missingEntries(doc: Y.Doc, writer: string, count: number): string[] {
  const ledger = ledgerOf(doc);
  const entries = Array.from({ length: count }, (_, i) => `${writer}#${i + 1}`);
  return entries.filter((entry) => !ledger.has(entry));
}

function ledgerOf(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('ledger');
}
