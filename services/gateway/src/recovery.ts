import type { Member } from './member.ts';

/** So many are asked at once. All of them have the same, most likely, and each would send it to all the others. */
const firstMax = 8;
/** Then the rest, for what is still missing: what the first brought is in the log by then. */
const restAfterMs = 1_000;

/**
 * The log was replaced: what it lost of a document, acknowledged edits too, the clients that have it open still have. They are asked with Step1, which providers of both
 * dialects answer at any time with all that the state vector lacks (protocol.md); it goes through the log like any edit, unacknowledged: they count no such answer.
 */
export class Recovery {
  readonly #world: RecoveryWorld;

  constructor(world: RecoveryWorld) {
    this.#world = world;
  }

  begin(members: ReadonlySet<Member>): void {
    // What the document was said to have, it may have lost: nothing a client brings is known.
    for (const member of members) member.serverVector = undefined;
    const all = [...members];
    this.#ask(all.slice(0, firstMax));
    if (all.length > firstMax) this.#world.after(restAfterMs, () => this.#ask(all.slice(firstMax)));
  }

  /** It may edit now, and has what was refused it before: what comes next may build on that. */
  again(member: Member): void {
    member.owes = 'again';
    if (member.state === 'live') this.#askOwing([member]);
  }

  /** Listens to relays from now on: it may be asked. */
  live(member: Member): void {
    if (member.owes) this.#askOwing([member]);
  }

  #ask(members: readonly Member[]): void {
    for (const member of members) member.owes ??= 'recovery';
    this.#askOwing(members);
  }

  #askOwing(members: readonly Member[]): void {
    this.#world.stateVector((stateVector) => {
      for (const member of members) if (member.owes && member.state === 'live') askForMissing(member, member.owes, stateVector);
    });
  }
}

function askForMissing(member: Member, reason: 'recovery' | 'again', stateVector: Uint8Array): void {
  member.owes = undefined;
  // Whose edits wait for the answer is asked, whatever it may by now: each has to be answered.
  if (!member.mayEdit && reason === 'recovery') return;
  member.serverVector = stateVector;
  member.step1Sent(reason);
  member.socket.send(member.frames.step1(stateVector));
}

export interface RecoveryWorld {
  after(ms: number, run: () => void): void;
  /** Asks the worker which state vector the document has now. */
  stateVector(answered: (stateVector: Uint8Array) => void): void;
}
