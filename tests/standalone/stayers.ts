import { untilEqual } from '../harness/gathering.ts';
import { LedgerWriter } from '../harness/ledger-writer.ts';
import type { Random } from '../harness/random.ts';
import { userKinds } from '../harness/users.ts';

const typeEveryMs = 40;
/** A provider waits up to 30 s between two attempts (protocol.md). */
const recoveredWithinMs = 90_000;
const seenWithinMs = 10_000;

/** One of each kind, in one document, through every crash: they type on while the server is away, and all of it arrives in the end. */
export class Stayers {
  readonly writers: readonly LedgerWriter[];
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  constructor(url: string, random: Random) {
    this.writers = userKinds.map((kind) => new LedgerWriter({ kind, name: `stayer-${kind}`, url, document: 'stayers', token: '' }, random));
  }

  get edits(): number {
    return this.writers.reduce((sum, { made }) => sum + made, 0);
  }

  get acknowledged(): number {
    return this.writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  type(): void {
    this.pause();
    this.#timer = setInterval(() => this.writers[this.#turn++ % this.writers.length]!.type(), typeEveryMs);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** All equal, and acknowledged where that is told, with no answer too many. */
  async untilWhole(): Promise<void> {
    const acknowledging = this.writers.filter(({ user }) => user.tally !== undefined);
    await Promise.all(acknowledging.map(({ user }) => user.untilAcknowledged(recoveredWithinMs)));
    await untilEqual(
      this.writers.map(({ user }) => user.doc),
      recoveredWithinMs,
    );
    for (const { user } of acknowledging)
      if (user.tally!.surplus > 0) throw new Error(`${user.name} got answers it never asked for: ${JSON.stringify(user.tally)}`);
  }

  /** What one types now the others see, acknowledged or not. */
  async untilTheySeeEachOther(): Promise<void> {
    for (const writer of this.writers) writer.type();
    await untilEqual(
      this.writers.map(({ user }) => user.doc),
      seenWithinMs,
    );
  }

  leave(): void {
    this.pause();
    for (const { user } of this.writers) user.leave();
  }
}
