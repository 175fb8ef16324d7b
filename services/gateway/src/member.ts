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

/** Sent with the answer to its own Step1, whose Step2 it counts as unsaved; or because the log was replaced, whose Step2 nobody counts (protocol.md). */
export type Step1Reason = 'join' | 'recovery';

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
  /** The log was replaced, and this client has not been asked yet for what was lost. */
  owesMissing = false;
  /** Whether what the client has and we lack has come: it comes with the Step2 that answers our Step1. */
  #history: 'unasked' | 'awaited' | 'came' = 'unasked';
  /** Updates that came before it: it bears them too, and they are acknowledged with it. */
  #withheld = 0;
  /** What the Step1s were for that it was sent and has not answered, oldest first. */
  readonly #step1s: Step1Reason[] = [];

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

  /** A Step2 came: gives what it answers, and how many acknowledgements waited for it. A client may send one unasked. */
  step2Came(): { readonly reason: Step1Reason; readonly withheld: number } {
    const reason = this.#step1s.shift();
    if (reason !== 'join') return { reason: reason ?? 'join', withheld: 0 };
    const withheld = this.#withheld;
    this.#history = 'came';
    this.#withheld = 0;
    return { reason, withheld };
  }
}
