import type * as Y from 'yjs';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import type { Random } from '../harness/random.ts';
import type { UserOptions } from '../harness/users.ts';

/** Somebody's edits, as noted outside of Yjs: numbered from 1, each with the moment it was made and the moment it was acknowledged. */
export interface Notes {
  readonly document: string;
  readonly writer: string;
  readonly kind: UserOptions['kind'];
  /** `performance.now()` by edit. */
  readonly madeMs: readonly number[];
  /** Of the first so many: those that were acknowledged. */
  readonly acknowledgedMs: readonly number[];
}

/** A ledger writer who also notes when. */
export class Typist {
  readonly writer: LedgerWriter;
  readonly #options: UserOptions;
  readonly #madeMs: number[] = [];
  readonly #acknowledgedMs: number[] = [];

  constructor(options: UserOptions, random: Random) {
    this.#options = options;
    this.writer = new LedgerWriter(options, random);
    // After the writer's own listener, which so has counted by then.
    this.writer.user.onNews(() => this.#note());
  }

  get document(): string {
    return this.#options.document;
  }

  get doc(): Y.Doc {
    return this.writer.user.doc;
  }

  get notes(): Notes {
    const { document, name, kind } = this.#options;
    return { document, writer: name, kind, madeMs: this.#madeMs, acknowledgedMs: this.#acknowledgedMs };
  }

  /** Edits made that nobody acknowledged yet; for ever all of them in the dialect without acknowledgements. */
  get pending(): number {
    return this.#madeMs.length - this.#acknowledgedMs.length;
  }

  type(): void {
    this.#madeMs.push(performance.now());
    this.writer.type();
  }

  #note(): void {
    const nowMs = performance.now();
    while (this.#acknowledgedMs.length < this.writer.acknowledged) this.#acknowledgedMs.push(nowMs);
  }
}
