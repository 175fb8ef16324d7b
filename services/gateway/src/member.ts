import type { ClientSocket } from './client-socket.ts';
import { type LogPosition, NOWHERE } from './log-position.ts';
import type { Outbox } from './outbox.ts';

/** How one client connection speaks about one document: frames of its dialect, and the topic that shares them with others who need the same bytes. */
export interface DocumentFrames {
  readonly topic: string;
  step1(stateVector: Uint8Array): Uint8Array;
  step2(update: Uint8Array): Uint8Array;
  /** With `into` the frame may be a view of it, good until `into` is used again. */
  update(update: Uint8Array, into?: Uint8Array): Uint8Array;
  /** As `encodeAwareness` makes it. */
  awareness(awareness: Uint8Array): Uint8Array;
  /** undefined where the dialect has no such frame. */
  stateless(payload: string): Uint8Array | undefined;
  syncStatus(taken: boolean): Uint8Array | undefined;
}

/**
 * Where a member stands with the document's stream of updates.
 * - `idle`: authenticated, has not asked for the document yet: hears nothing.
 * - `asking`: its question is with the worker. Updates meanwhile are kept with the question.
 * - `sending`: the answer is on its way to the socket. Updates meanwhile are left out, and asked for afterwards.
 * - `live`: subscribed; every update reaches it as it comes.
 * - `behind`: the socket is over its high-water mark: it gets no more increments; when it drains it is caught up.
 */
export type MemberState = 'idle' | 'asking' | 'sending' | 'live' | 'behind';

/** The state vector of an empty document. */
export const NOTHING: Uint8Array = Uint8Array.of(0);

/**
 * Why a client is sent Step1.
 * - `join`: with the answer to its own, whose Step2 it counts as unsaved (protocol.md).
 * - `again`: it may edit now, and could not before: what was refused meanwhile it still counts as unsaved; the Step2 it does not count.
 * - `recovery`: the log was replaced; nobody counts the Step2.
 */
export type Step1Reason = 'join' | 'again' | 'recovery';

/** Step1s a client leaves unanswered: no provider leaves one. */
const step1sMax = 16;

/** One client connection's use of one document. */
export class Member {
  readonly socket: ClientSocket;
  readonly outbox: Outbox;
  readonly frames: DocumentFrames;
  /** For logs: the connection's number. */
  readonly connection: number;
  mayEdit: boolean;
  /** It left the document: what is still to come for it, acknowledgements too, is not sent. The same address may be open again. */
  gone = false;
  state: MemberState = 'idle';
  /** The state vector of a Step1 that came while an earlier question or answer of this member is under way. Only the newest: each member costs one question at a time. */
  asksAgain: Uint8Array | undefined;
  /** In states `sending` and `behind`: the log position up to which the client has, or is being sent, everything. */
  position: LogPosition = NOWHERE;
  /** A state vector the client surely has by the time it was sent what it is being sent; a lower bound. */
  sentVector: Uint8Array = NOTHING;
  /** The state vector the document had when this member was last sent Step1; undefined before. */
  serverVector: Uint8Array | undefined;
  /** It is to be asked for what it has and we lack, and has not been yet. */
  owes: 'recovery' | 'again' | undefined;
  /** Whether what the client has and we lack has come: it comes with the Step2 that answers our Step1. */
  #history: 'unasked' | 'awaited' | 'came' = 'unasked';
  /** Updates that came before it: it bears them too, and they are acknowledged with it. */
  #withheld = 0;
  /** Answered with 0, or not at all, for want of right: it still counts them as unsaved. */
  #refused = 0;
  /** What the Step1s were for that it was sent and has not answered, oldest first. */
  readonly #step1s: Step1Reason[] = [];
  /** Why it gets the next answer with a Step1. */
  #joinReason: 'join' | 'again' = 'join';

  constructor(socket: ClientSocket, outbox: Outbox, frames: DocumentFrames, connection: number, mayEdit: boolean) {
    this.socket = socket;
    this.outbox = outbox;
    this.frames = frames;
    this.connection = connection;
    this.mayEdit = mayEdit;
  }

  step1Sent(reason: Step1Reason): void {
    this.#step1s.push(reason);
    if (this.#step1s.length > step1sMax) this.#step1s.shift();
  }

  /** It asks for the document, and so will be sent a Step1. Who has nothing has nothing to bring: all it will make comes on this connection, in order. */
  asksForDocument(hasNothing: boolean): void {
    // Providers begin to count anew with their own Step1.
    this.#refused = 0;
    if (this.#history === 'unasked') this.#history = hasNothing ? 'came' : 'awaited';
  }

  /**
   * An Update came: is it left to the Step2? A provider that comes back sends what was typed meanwhile before it is asked for what the house lacks. Such an Update may build on edits that went
   * down with another gateway: without those it would lie pending in the document, for ever if the client vanishes, and Yjs keeps pending with it what others wrote and was merged with it. The
   * Step2 bears all of it together.
   */
  withholds(): boolean {
    if (this.#history !== 'awaited') return false;
    this.#withheld += 1;
    return true;
  }

  /** It is let in again on the same socket, and gets the document without asking once more; so many of its edits it still counts as unsaved. */
  comesBack(counted: number): void {
    this.#joinReason = 'again';
    this.#history = 'awaited';
    this.#refused = counted;
  }

  /** The answer to its question is being sent, with a Step1. */
  joinSent(): void {
    this.step1Sent(this.#joinReason);
    this.#joinReason = 'join';
  }

  /** What it counts as unsaved, and was given no other answer to. */
  get unanswered(): number {
    return this.#refused + this.#withheld;
  }

  /** An edit was refused for want of right. */
  wasRefused(edits = 1): void {
    this.#refused += edits;
  }

  /** It may edit from now on. What it makes may build on what was refused it, which comes with its answer to a Step1. True if it has to be sent one. */
  awaitsRefused(): boolean {
    if (this.#refused === 0) return false;
    this.#history = 'awaited';
    return true;
  }

  /** A Step2 came: gives what it answers, and how many answers the client counts on: those withheld until it came, and those for what was refused before. A client may send one unasked. */
  step2Came(): Step2 {
    const reason = this.#step1s.shift();
    if (reason === undefined) return { reason: 'join', acks: 1, refused: 0 };
    if (reason === 'recovery') return { reason, acks: 0, refused: 0 };
    const [withheld, refused] = [this.#withheld, reason === 'again' ? this.#refused : 0];
    this.#history = 'came';
    this.#withheld = 0;
    this.#refused -= refused;
    return { reason, acks: (reason === 'join' ? 1 : 0) + withheld + refused, refused };
  }
}

export interface Step2 {
  readonly reason: Step1Reason;
  /** Answers the client counts on when what it brings is safe. */
  readonly acks: number;
  /** Of these, how many are for edits that have had their 0 before. */
  readonly refused: number;
}
